import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PlannedPartition } from '../discovery/plan-types';
import type { ResolveInput } from './inputs';
import { releaseNativeMemory } from './memory';
import { scratchParent } from './places';
import { findSuperseded, findRepeated, hashRows } from './resolve-scope';
import type { ScopeWork } from './resolve-scope';
import { countAmbiguous } from './settle-ambiguous';
import { SUPERSEDED, uniqueSet, writeRowSets } from './row-sets';
import { writing } from './write-error';
import { batchRows, batchesOf } from './slices';
import type { EngineHooks, PartitionResolution } from './types';

/** How much is kept in memory at a time. Results do not depend on it. */
export interface ResolveLimits {
  /** Hashes, 8 bytes each, before they go to disk. */
  readonly hashesInMemory: number;
  /** Candidate rows settled at a time: key and ordering columns. */
  readonly candidatesAtATime: number;
  /** Whole rows compared at a time for `ambiguous`, and rows scanned at a time; null: what the contract's width allows. */
  readonly rowsAtATime: number | null;
}

const LIMITS: ResolveLimits = { hashesInMemory: 2 ** 24, candidatesAtATime: 2 ** 21, rowsAtATime: null };
/** Positions are exact up to 2^53: 32 bits for the row, 21 for the partition. */
const MAX_PARTITIONS = 2 ** 21;
const MAX_ROWS = 2 ** 32 - 1;

/**
 * Finds, by the key columns alone, the rows that lost to a newer version of their primary key, the
 * ambiguous keys, and the rows that violate `unique` gates (SEMANTICS 4, 5.3), and writes the row sets
 * to `directory`. Scope `window` resolves over all the partitions together, scope `partition` one by one.
 *
 * Memory: a few bytes a row of what is resolved together, plus bounded batches.
 *
 * @throws VoidPlan when a file of the plan vanished or changed.
 * @throws TerminalError `UnreadableFile`.
 */
export async function resolve(
  input: ResolveInput,
  hooks: EngineHooks = {},
  limits: ResolveLimits = LIMITS,
): Promise<PartitionResolution[]> {
  const scratch = scratchParent(input.directory);
  await writing(scratch, () => mkdir(scratch, { recursive: true }));
  const progress = { done: 0, total: input.partitions.reduce((sum, { rows }) => sum + rows, 0) };
  const report = (rows: number): void => {
    progress.done += rows;
    hooks.onProgress?.({ phase: 'resolving keys', ...progress });
  };
  if (input.contract.deduplicate.scope === 'window') {
    return resolveTogether(input, input.partitions, hooks, limits, report);
  }
  const columns = input.contract.columns.length;
  const resolutions: PartitionResolution[] = [];
  for (const partition of input.partitions) {
    resolutions.push(...(await resolveTogether(input, [partition], hooks, limits, report)));
    await releaseNativeMemory({ ...partition, columns });
  }
  return resolutions;
}

async function resolveTogether(
  { contract, sourceRoot, directory }: ResolveInput,
  partitions: readonly PlannedPartition[],
  hooks: EngineHooks,
  limits: ResolveLimits,
  report: (rows: number) => void,
): Promise<PartitionResolution[]> {
  refuseTooMany(partitions);
  const scratch = join(scratchParent(directory), `scratch-${randomUUID()}`);
  const batches = partitions.flatMap((partition, index) =>
    batchesOf(partition, limits.rowsAtATime ?? batchRows(contract, partition)).map((batch) => ({
      partition: index,
      batch,
    })),
  );
  const work: ScopeWork = { contract, sourceRoot, partitions, batches, scratch, limits, signal: hooks.signal, report };
  const hashes = await hashRows(work);
  try {
    const { losers, ties } = await findSuperseded(work, hashes.primaryKey);
    const ambiguous = await countAmbiguous(work, ties);
    const repeated = new Map<string, Awaited<ReturnType<typeof findRepeated>>>();
    for (const { gate, store } of hashes.gates) {
      repeated.set(uniqueSet(gate.name), await findRepeated(work, gate, store, losers));
    }
    const resolutions: PartitionResolution[] = [];
    for (const [index, { date }] of partitions.entries()) {
      hooks.signal?.throwIfAborted();
      const superseded = losers.rows(index);
      const sets = new Map([[SUPERSEDED, superseded]]);
      for (const [set, rows] of repeated) sets.set(set, rows.rows(index));
      const name = `${date}-${randomUUID()}.rows`;
      const rowSets = (await writeRowSets(directory, name, sets)) === null ? null : name;
      resolutions.push({ date, superseded: superseded.length, ambiguous: ambiguous[index] ?? 0, rowSets });
    }
    return resolutions;
  } finally {
    await hashes.close();
  }
}

/** @throws Error when positions would not be exact. */
export function refuseTooMany(partitions: readonly Pick<PlannedPartition, 'date' | 'rows'>[]): void {
  if (partitions.length >= MAX_PARTITIONS) {
    throw new Error(`${partitions.length} partitions cannot be resolved together: fewer than ${MAX_PARTITIONS} can`);
  }
  for (const { date, rows } of partitions) {
    if (rows > MAX_ROWS) throw new Error(`partition ${date} has ${rows} rows; at most ${MAX_ROWS} can be resolved`);
  }
}
