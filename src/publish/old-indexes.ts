import type { PartitionState } from './table';

/** A key index as found in a table's index folder. */
export interface FoundIndex {
  /** Below the index folder: `<identity>/<date>-<fingerprint>.idx`. */
  readonly path: string;
  /** Milliseconds since the epoch. */
  readonly changedAt: number;
}

const NAME = /^[0-9a-f]{16}\/(\d{4}-\d{2}-\d{2}-[0-9a-f]{64})\.idx$/;

/**
 * The key indexes that may go: those older than `before` of files that the newest version no longer stands for, and
 * those of a hash that a later one stands for too. Any of them can be made anew.
 */
export function oldIndexes<Found extends FoundIndex>(
  found: readonly Found[],
  partitions: Iterable<PartitionState>,
  before: number,
): Found[] {
  const used = new Set([...partitions].map(({ date, fingerprint }) => `${date}-${fingerprint}`));
  const newest = new Map<string, number>();
  const known = found.flatMap((index) => {
    const name = NAME.exec(index.path)?.[1];
    if (name === undefined) return [];
    newest.set(name, Math.max(newest.get(name) ?? 0, index.changedAt));
    return [{ index, name }];
  });
  return known
    .filter(({ index, name }) => index.changedAt < before && (!used.has(name) || index.changedAt < newest.get(name)!))
    .map(({ index }) => index);
}

export const OLD_INDEX = 'a key index of raw files that no partition stands for any more';
