import { z } from 'zod';
import { parsePartitionDate, type PartitionDate } from '../discovery/partition-date';
import { messageOf, TerminalError } from '../errors';
import { isRunName } from './names';
import type { Commit, PartitionState } from './table';

/*
 * What the documents of every format hold. They come from storage, which is not trusted: each part is
 * held to its form before it is used.
 */

export const dateSchema = z.custom<PartitionDate>(
  (value) => typeof value === 'string' && parsePartitionDate(value) !== null,
  { error: 'expected an ISO date' },
);
export const countSchema = z.int().nonnegative();
const countsSchema = z.object({
  read: countSchema,
  superseded: countSchema,
  ambiguous: countSchema,
  unrecoverable: countSchema.optional(),
  quarantined: countSchema,
  published: countSchema,
  misfiled: countSchema,
  violations: z.record(z.string(), countSchema),
});
const decisionSchema = z.union([z.literal('all'), z.array(dateSchema)]).optional();
const scopeSchema = z.union([
  z.object({ kind: z.literal('incremental'), includeLate: decisionSchema, removeGone: decisionSchema }),
  z.object({ kind: z.literal('backfill'), from: dateSchema, to: dateSchema }),
  z.object({ kind: z.literal('backfill'), select: z.enum(['all', 'stale']) }),
  z.object({ kind: z.literal('rollback'), to: z.int().positive() }),
]);

export const commitSchema: z.ZodType<Commit> = z.object({
  formatVersion: z.literal(1),
  pipeline: z.string(),
  version: z.int().positive(),
  requestId: z.string(),
  run: z.string().refine(isRunName, 'expected letters, digits and hyphens'),
  scope: scopeSchema,
  planDigest: z.string(),
  watermark: z.object({ before: dateSchema.nullable(), after: dateSchema.nullable() }),
  range: z.object({ from: dateSchema, to: dateSchema }).nullable(),
  digests: z.object({ resolution: z.string(), rows: z.string() }),
  partitions: countSchema,
  removed: countSchema.optional(),
  totals: countsSchema,
  committedAt: z.string(),
  committedBy: z.string(),
});

/** The one form of a data file's path, with its kind, column and date. Nothing else is ever linked, committed or deleted. */
export const DATA_FILE = /^(curated|quarantine)\/([^/]+)=(\d{4}-\d{2}-\d{2})\/part-[0-9A-Za-z-]+\.parquet$/;

/** The same of a file with verdicts, which in a Delta table stands with the other books. */
export const VERDICTS_FILE = /^(?:_tidegate\/)?verdicts\/([^/]+)=(\d{4}-\d{2}-\d{2})\/part-[0-9A-Za-z-]+\.rows$/;

const fileSchema = (path: RegExp) =>
  z.object({
    path: z.string().regex(path),
    rows: countSchema,
    size: countSchema,
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional(),
  });
const sourceFileSchema = z.object({
  path: z.string(),
  size: countSchema,
  mtimeNs: z.string().optional(),
  etag: z.string().optional(),
  rows: countSchema,
});
export const partitionSchema: z.ZodType<PartitionState> = z.object({
  date: dateSchema,
  version: z.int().positive(),
  rowsDigest: z.string(),
  fingerprint: z.string(),
  undecided: z.int().positive().optional(),
  counts: countsSchema,
  files: z.array(sourceFileSchema),
  curated: z.array(fileSchema(DATA_FILE)),
  quarantine: z.array(fileSchema(DATA_FILE)),
  verdicts: z.array(fileSchema(VERDICTS_FILE)).max(1).default([]),
});

/** @throws TerminalError `CorruptTable` when the text is not JSON of this form, with what is wrong and `where`. */
export function parseDocument<Value>(schema: z.ZodType<Value>, text: string, where: string): Value {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw corrupt(`${where} is not JSON: ${messageOf(error)}; restore it from a backup`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw corrupt(`${where}: ${issue?.path.join('.')}: ${issue?.message}; restore it from a backup`);
}

export const corrupt = (message: string, options?: ErrorOptions): TerminalError =>
  new TerminalError('CorruptTable', message, options);
