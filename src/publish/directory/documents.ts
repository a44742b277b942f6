import { join } from 'node:path';
import { z } from 'zod';
import { parsePartitionDate, type PartitionDate } from '../../discovery/partition-date';
import { messageOf, TerminalError } from '../../errors';
import { parseReport, type Report } from '../../quality';
import type { Commit, PartitionState } from '../table';
import { readText } from './durable';
import { COMMIT_FILE, isRunName, REPORT_FILE, STATE_FILE, versionFolder } from './layout';

const date = z.custom<PartitionDate>((value) => typeof value === 'string' && parsePartitionDate(value) !== null, {
  error: 'expected an ISO date',
});
const count = z.int().nonnegative();
const counts = z.object({
  read: count,
  superseded: count,
  ambiguous: count,
  quarantined: count,
  published: count,
  misfiled: count,
  violations: z.record(z.string(), count),
});
const decision = z.union([z.literal('all'), z.array(date)]).optional();
const scope = z.union([
  z.object({ kind: z.literal('incremental'), includeLate: decision, removeGone: decision }),
  z.object({ kind: z.literal('backfill'), from: date, to: date }),
  z.object({ kind: z.literal('backfill'), select: z.enum(['all', 'stale']) }),
  z.object({ kind: z.literal('rollback'), to: z.int().positive() }),
]);

const commitSchema: z.ZodType<Commit> = z.object({
  formatVersion: z.literal(1),
  pipeline: z.string(),
  version: z.int().positive(),
  requestId: z.string(),
  run: z.string().refine(isRunName, 'expected letters, digits and hyphens'),
  scope,
  planDigest: z.string(),
  watermark: z.object({ before: date.nullable(), after: date.nullable() }),
  range: z.object({ from: date, to: date }).nullable(),
  digests: z.object({ resolution: z.string(), rows: z.string() }),
  partitions: count,
  removed: count.optional(),
  totals: counts,
  committedAt: z.string(),
  committedBy: z.string(),
});

/** Files are linked by these paths, and storage is not trusted: they name a data file of the version and nothing else. */
const DATA_FILE = /^(?:curated|quarantine)\/[^/]+=\d{4}-\d{2}-\d{2}\/part-[0-9A-Za-z-]+\.parquet$/;
const outputFile = z.object({
  path: z.string().regex(DATA_FILE),
  rows: count,
  size: count,
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});
const stateSchema = z.object({
  formatVersion: z.literal(1),
  version: z.int().positive(),
  partitions: z.array(
    z.object({
      date,
      version: z.int().positive(),
      rowsDigest: z.string(),
      fingerprint: z.string(),
      counts,
      files: z.array(
        z.object({
          path: z.string(),
          size: count,
          mtimeNs: z.string().optional(),
          etag: z.string().optional(),
          rows: count,
        }),
      ),
      curated: z.array(outputFile),
      quarantine: z.array(outputFile),
    }),
  ),
});
export type Partitions = ReadonlyMap<PartitionDate, PartitionState>;

export const encodeDocument = (document: unknown): string => `${JSON.stringify(document, null, 2)}\n`;

/** One line a partition, so that two versions can be compared with ordinary tools. */
export function encodeState(version: number, partitions: Partitions): string {
  const lines = [...partitions.values()].map((partition) => JSON.stringify(partition));
  return `{"formatVersion":1,"version":${version},"partitions":[\n${lines.join(',\n')}\n]}\n`;
}

export function parseCommit(text: string, where: string): Commit {
  return parse(commitSchema, text, where);
}

/** @throws TerminalError `CorruptTable` when it is missing: a commit's header is never removed. */
export async function readCommit(root: string, version: number): Promise<Commit> {
  const path = join(versionFolder(root, version), COMMIT_FILE);
  const text = await readText(path);
  if (text === null) throw corrupt(`${path} is missing; it is kept for ever; restore it from a backup`);
  const commit = parseCommit(text, path);
  if (commit.version !== version) throw corrupt(`${path} says version ${commit.version}; expected ${version}`);
  return commit;
}

/** A version's partitions in date order, or null when retention has taken them. */
export async function readState(root: string, version: number): Promise<Partitions | null> {
  const path = join(versionFolder(root, version), STATE_FILE);
  const text = await readText(path);
  if (text === null) return null;
  const state = parse(stateSchema, text, path);
  if (state.version !== version) throw corrupt(`${path} says version ${state.version}; expected ${version}`);
  return new Map(state.partitions.map((partition) => [partition.date, partition]));
}

/** The report as published, with the place where the version lies now. */
export async function readReport(root: string, version: number): Promise<Report> {
  const folder = versionFolder(root, version);
  const path = join(folder, REPORT_FILE);
  const text = await readText(path);
  if (text === null) throw corrupt(`${path} is missing; it is kept for ever; restore it from a backup`);
  const report = parseReport(text, path);
  return { ...report, commit: { version, path: folder } };
}

function parse<Value>(schema: z.ZodType<Value>, text: string, where: string): Value {
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

export const corrupt = (message: string): TerminalError => new TerminalError('CorruptTable', message);
