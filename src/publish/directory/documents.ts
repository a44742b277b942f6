import { join } from 'node:path';
import { z } from 'zod';
import type { PartitionDate } from '../../discovery/partition-date';
import { parseReport, type Report } from '../../quality';
import { commitSchema, corrupt, parseDocument, partitionSchema } from '../documents';
import type { Commit, PartitionState } from '../table';
import { readText } from './durable';
import { COMMIT_FILE, REPORT_FILE, STATE_FILE, versionFolder } from './layout';

const stateSchema = z.object({
  formatVersion: z.literal(1),
  version: z.int().positive(),
  partitions: z.array(partitionSchema),
});
export type Partitions = ReadonlyMap<PartitionDate, PartitionState>;

export const encodeDocument = (document: unknown): string => `${JSON.stringify(document, null, 2)}\n`;

/** One line a partition, so that two versions can be compared with ordinary tools. */
export function encodeState(version: number, partitions: Partitions): string {
  const lines = [...partitions.values()].map((partition) => JSON.stringify(partition));
  return `{"formatVersion":1,"version":${version},"partitions":[\n${lines.join(',\n')}\n]}\n`;
}

/** @throws TerminalError `CorruptTable` when it is missing: a commit's header is never removed. */
export async function readCommit(root: string, version: number): Promise<Commit> {
  const path = join(versionFolder(root, version), COMMIT_FILE);
  const text = await readText(path);
  if (text === null) throw corrupt(`${path} is missing; it is kept for ever; restore it from a backup`);
  const commit = parseDocument(commitSchema, text, path);
  if (commit.version !== version) throw corrupt(`${path} says version ${commit.version}; expected ${version}`);
  return commit;
}

/** A version's partitions in date order, or null when retention has taken them. */
export async function readState(root: string, version: number): Promise<Partitions | null> {
  const path = join(versionFolder(root, version), STATE_FILE);
  const text = await readText(path);
  if (text === null) return null;
  const state = parseDocument(stateSchema, text, path);
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
