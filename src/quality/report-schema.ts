import { z } from 'zod';
import { TerminalError } from '../errors';
import type { Report } from './report-types';

const count = z.int().nonnegative();
const date = z.iso.date();

const counts = {
  read: count.describe('Rows in the source files, from their footers.'),
  superseded: count.describe('Rows that lost to a newer version of their primary key.'),
  ambiguous: count.describe('Primary keys whose winner ties with a row that differs.'),
  unrecoverable: count
    .optional()
    .describe(
      'Superseded rows that ought to come back and cannot, because their raw files are gone. Absent when there are none.',
    ),
  undecided: count
    .optional()
    .describe(
      'Superseded rows that may be due to come back, which cannot be decided while their raw files are gone; those that are unrecoverable among them. Absent when there are none.',
    ),
  quarantined: count.describe('Rows that violate a gate, written to quarantine.'),
  published: count.describe('Rows written to the curated zone.'),
  misfiled: count.describe("Rows whose stored partition column differs from their folder's date."),
  violations: z
    .record(z.string(), count)
    .describe('Rows that violate each gate, by gate name. A row can violate several.'),
};

const filesAndRows = z.object({
  files: count,
  rows: count.nullable().describe('Null where the log does not tell.'),
});

const decision = z.union([z.literal('all'), z.array(date)]).optional();
const scope = z.union([
  z.object({
    kind: z.literal('incremental'),
    includeLate: decision.describe('Late partitions taken whatever the policy says.'),
    removeGone: decision.describe('Gone partitions removed whatever the policy says.'),
  }),
  z.object({ kind: z.literal('backfill'), from: date, to: date }),
  z.object({ kind: z.literal('backfill'), select: z.enum(['all', 'stale']) }),
  z.object({ kind: z.literal('rollback'), to: z.int().positive().describe('The version restored.') }),
]);

/** `report.json`, format version 1. The JSON Schema in schema/ is generated from it. */
export const reportSchema = z
  .object({
    formatVersion: z.literal(1),
    requestId: z.string(),
    pipeline: z.string(),
    kind: z.enum(['incremental', 'backfill', 'rollback']),
    scope,
    planDigest: z.string().describe('SHA-256 of the plan that was run.'),
    watermark: z.object({ before: date.nullable(), after: date.nullable() }),
    windowFrom: date.nullable().describe('First date an incremental run looked at.'),
    commit: z
      .object({ version: z.int().positive(), path: z.string() })
      .nullable()
      .describe('The version published; null when there was nothing to do.'),
    gates: z.array(z.string()).describe('Gate names in contract order, the reserved primaryKey first.'),
    partitions: z.array(
      z.object({
        date,
        reason: z.string().describe('Why the partition was taken.'),
        files: count,
        bytes: count,
        keys: count
          .optional()
          .describe(
            'Of a coupled partition: through how many primary keys or unique values. 0 where no index knows the rows concerned.',
          ),
        ...counts,
      }),
    ),
    removed: z
      .array(z.object({ date, reason: z.literal('gone'), published: count, quarantined: count }))
      .default([])
      .describe('Partitions taken out of the table, because their raw files are gone, with the rows they had in it.'),
    overwritten: z
      .array(
        z.object({
          table: z.enum(['curated', 'quarantine']),
          date,
          added: filesAndRows.describe('Files that they had added, and that are gone.'),
          removed: filesAndRows.describe("Files of Tidegate's that they had taken away."),
          commits: z
            .array(
              z.object({
                version: count.describe(
                  'Of the Delta table. Where its log was cleaned up, of the checkpoint that holds what was committed.',
                ),
                operation: z.string().nullable(),
                engine: z.string().nullable(),
              }),
            )
            .describe('Theirs, as the log tells of them, in order: the newest five at most.'),
        }),
      )
      .optional()
      .describe(
        'Partitions of a Delta table that other writers had changed since Tidegate wrote them, and that this commit overwrote. Absent when there are none.',
      ),
    totals: z.object(counts),
    left: z.array(z.object({ date, reason: z.string(), hint: z.string().optional() })),
    ignored: z.array(z.object({ path: z.string(), reason: z.string(), count, bytes: count })),
    stale: z.array(date),
    warnings: z.array(z.string()),
  })
  .describe('What one run of a Tidegate pipeline found and did.');

/**
 * A report read back from storage.
 * @param where The file it came from, for the message.
 * @throws TerminalError `CorruptTable` when it is not a report of a known version.
 */
export function parseReport(text: string, where: string): Report {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new TerminalError('CorruptTable', `${where} is not JSON: ${String(error)}`, { cause: error });
  }
  const parsed = reportSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new TerminalError(
      'CorruptTable',
      `${where} is not a report of format version 1: at ${issue?.path.join('.') || 'its root'}, ${issue?.message ?? 'unknown fault'}`,
    );
  }
  // The schema checks what the brands of Report assert (real dates, known reasons as text).
  return parsed.data as unknown as Report;
}

/** The JSON Schema of `report.json`, for schema/report.schema.json. */
export function reportJsonSchema(): object {
  return {
    title: 'Tidegate report',
    ...z.toJSONSchema(reportSchema, { io: 'input', target: 'draft-7' }),
  };
}
