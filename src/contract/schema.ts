import { z } from 'zod';
import { parsePartitionDate } from '../discovery/partition-date';
import { DEFAULT_MEMORY, LEAST_MEMORY, parseBytes } from './bytes';
import { COLUMN_TYPES } from './column-type';
import { gateSchema } from './gates/registry';
import { scheduleSchema } from './schedule-schema';
import { DEFAULT_SCOPE, SCOPES } from './scope';
import { columnNames, strict, text, whole, word } from './strict';

/**
 * The source form of a contract: what stands in the YAML file. This schema is the one source of the types, the
 * validation, the published JSON Schema and the reference; the rules that tie keys together are in cross-check.ts.
 */

const PIPELINE_NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;
/** Whether `name` can be the name of a pipeline; what is not may be a path. */
export function isPipelineName(name: string): boolean {
  return PIPELINE_NAME.test(name);
}

const PARTITION_COLUMN = /^[A-Za-z][A-Za-z0-9_-]*$/;
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

const folder = (meaning: string) =>
  text('the path of a folder, or s3://bucket/prefix').describe(
    `${meaning} A relative path starts from the folder of this file.`,
  );

const sourceSchema = strict({
  path: folder('The raw zone: the folder, or `s3://bucket/prefix`, that holds the partitions.'),
  partitionColumn: text('a letter, then letters, digits, underscores and dashes', PARTITION_COLUMN)
    .default('date')
    .describe('The name before `=` in the folders of the partitions, `date=2026-05-01`. Gates may name it as a date.'),
  extraColumns: word(['fail', 'drop'])
    .default('fail')
    .describe('What to do with columns of the files that are not declared: `fail` the run, or `drop` them.'),
  unrecognized: word(['warn', 'fail'])
    .default('warn')
    .describe(
      'What to do about entries of the raw zone that belong to no partition: list and `warn`, or `fail` the run.',
    ),
});

const START = 'a date, such as 2026-01-01';
const incrementalSchema = strict({
  start: z
    .string({ error: START })
    .refine((value) => parsePartitionDate(value) !== null, { error: START })
    .optional()
    .describe(
      'A date, such as `2026-01-01`: an incremental run takes no partition before it. Without it, any is taken.',
    ),
  lookback: whole('a whole number of days, 0 or more', 0)
    .default(3)
    .describe('How many days before the watermark the window of a run begins: late records are expected in it.'),
  reprocess: word(['changed', 'always'])
    .default('changed')
    .describe(
      'What a run takes of its window: the partitions that are new or `changed` since they were published, or `always` ' +
        'all of them.',
    ),
  late: word(['process', 'hold', 'ignore'])
    .default('process')
    .describe(
      'What to do with new or changed partitions older than the window: `process` them like the others, `hold` them ' +
        'until `tidegate run --include-late`, or `ignore` them. In scope `table`, only `process`, since their rows ' +
        'decide about those of other partitions. Scope `window` takes none, whatever this says: a backfill does.',
    ),
  gone: word(['keep', 'remove', 'hold'])
    .default('keep')
    .describe(
      'What to do with published partitions whose raw files are gone: `keep` what was published, `remove` it from the ' +
        'table, or `hold` it there until `tidegate run --remove-gone`. In scope `table`, not `hold`.',
    ),
  future: word(['leave', 'accept'])
    .default('leave')
    .describe('What to do with partitions later than tomorrow in UTC: `leave` them until their day, or `accept` them.'),
});

const ORDER_COLUMN = 'a column name, or { column, direction: desc or asc }';
const ORDER = 'a column name, or a list of them, each perhaps as { column, direction: desc or asc }';
const orderColumnSchema = z.union(
  [
    text(ORDER_COLUMN),
    strict({
      column: text('a column name').describe('A declared column.'),
      direction: word(['desc', 'asc']).default('desc').describe('`desc`: the greatest value wins; `asc`: the least.'),
    }),
  ],
  { error: ORDER_COLUMN },
);

const deduplicateSchema = strict({
  primaryKey: columnNames('a column name, or a list of them').describe(
    'The columns that name a record: one name, or a list. Rows with a null in one of them go to quarantine under the ' +
      'reserved gate `primaryKey`.',
  ),
  orderBy: z
    .union([text(ORDER), z.array(orderColumnSchema).min(1, { error: ORDER })], { error: ORDER })
    .describe(
      'Which of several rows with one key wins: the greatest in these columns, newest first (`desc`) unless said. Nulls ' +
        'and NaN lose. A tie goes to the later file path, then to the later row. An entry of the list may be ' +
        '`{ column, direction: asc }`.',
    ),
  scope: word(SCOPES)
    .default(DEFAULT_SCOPE)
    .describe(
      'Over which partitions a key is resolved: over the whole `table`, inside each `partition`, or over the `window` of ' +
        'partitions that a run takes. The outcome of `window` depends on which runs happened. ' +
        'docs/concepts.md says when each is right.',
    ),
});

const publishSchema = strict({
  path: folder('The curated zone: the folder of the published table; in format `delta` also `s3://bucket/prefix`.'),
  format: word(['directory', 'delta'])
    .default('directory')
    .describe(
      '`directory`: plain Parquet files in a complete folder tree for each version. `delta`: two Delta Lake tables, ' +
        '`curated` and `quarantine`, on a local disk or in an S3-compatible store. Delta has no unsigned integers, and ' +
        'timestamps in microseconds only: declare `int16` for `uint8`, `int32` for `uint16`, `int64` for `uint32` and ' +
        '`timestamp[us]` for `timestamp[ms]` (with UTC as without), to which files widen without loss. `uint64` and ' +
        '`timestamp[ns]` have no such type: write the files in another one, or publish as `directory`.',
    ),
  keep: strict({
    versions: whole('a whole number, 1 or more', 1).default(30).describe('How many versions are kept at least.'),
    days: whole('a whole number of days, 0 or more', 0)
      .default(7)
      .describe('For how many days a version is kept at least.'),
  })
    .prefault({})
    .describe('Versions beyond both limits lose their data after a commit, never their `commit.json`.'),
});

const MEMORY = 'at least 256MiB: a number of bytes, or text such as 512MiB or 1GiB';
const engineSchema = strict({
  memory: z
    .union([z.number(), z.string()], { error: MEMORY })
    .refine((value) => (parseBytes(value) ?? 0) >= LEAST_MEMORY, { error: MEMORY })
    .default(DEFAULT_MEMORY)
    .describe(
      'How much memory key resolution may hold at a time: bytes, or text with `KiB`, `MiB` or `GiB`; at least 256MiB. ' +
        'Less costs time, never correctness.',
    ),
});

const VARIABLE = 'the name of an environment variable: letters, digits and underscores';
const notifySchema = strict({
  webhook: strict({
    urlFrom: text(VARIABLE, VARIABLE_NAME).describe(
      'The environment variable of the worker that holds the URL; the URL itself is a secret and never stands here.',
    ),
  })
    .optional()
    .describe('Where a JSON message is posted when a run fails or rejects rows.'),
});

export const pipelineSchema = strict({
  $schema: z.string({ error: 'the address of the JSON Schema' }).optional().describe('For editors; otherwise ignored.'),
  pipeline: text(
    '1 to 63 lower-case letters, digits, dashes and underscores, beginning with a letter or digit',
    PIPELINE_NAME,
  ).describe('Name of the pipeline: 1 to 63 lower-case letters, digits, dashes and underscores.'),
  source: sourceSchema.describe('Where raw data comes from.'),
  columns: z
    .record(z.string(), z.string({ error: COLUMN_TYPES }), { error: 'a mapping of column names to types' })
    .describe(
      `Every column of the published table with its type, in the order of publication, without the partition column. ` +
        `Types: ${COLUMN_TYPES}. Files may hold a type that widens without loss. \`publish.format: delta\` refuses some.`,
    ),
  incremental: incrementalSchema.prefault({}).describe('What an incremental run takes.'),
  deduplicate: deduplicateSchema.describe('How one row is chosen for each record.'),
  gates: z
    .array(gateSchema, { error: 'a list of gates' })
    .default([])
    .describe(
      'The rules that rows must pass. Rows that violate one go to quarantine with the names of all they violate.',
    ),
  publish: publishSchema.describe('Where the table goes.'),
  engine: engineSchema.prefault({}).describe('How the work is done; nothing here changes a result.'),
  schedule: scheduleSchema
    .optional()
    .describe('When the pipeline runs by itself, once `tidegate schedule apply` was said.'),
  notify: notifySchema.prefault({}).describe('Who is told.'),
});

/** The source form as it is written, defaults left out: what `definePipeline` takes. */
export type PipelineSource = z.input<typeof pipelineSchema>;
/** The source form with its defaults filled in. */
export type CompleteSource = z.output<typeof pipelineSchema>;
