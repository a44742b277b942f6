/** A half-open range of indexes into a plan's partitions. */
export interface PartitionGroup {
  readonly from: number;
  readonly to: number;
  readonly rows: number;
}

/** Seconds of work: at the end of a group, and the beginning of the next, not every core has something to do. */
const TARGET_BYTES = 1024 * 1024 * 1024;
/** What a partition costs whatever is in it (files opened, flushed, scanned), as bytes: many small ones are work too. */
const PARTITION_BYTES = 64 * 1024 * 1024;
const MOST_GROUPS = 200;

/**
 * Cuts partitions, in their order, into groups of about `targetBytes`, each the work of one activity;
 * a partition weighs its bytes and a fixed price. It is never cut. The target grows as needed to keep to `max` groups.
 */
export function groupPartitions(
  partitions: readonly { readonly bytes: number; readonly rows: number }[],
  { targetBytes = TARGET_BYTES, max = MOST_GROUPS }: { readonly targetBytes?: number; readonly max?: number } = {},
): PartitionGroup[] {
  for (let target = Math.max(1, targetBytes); ; target *= 2) {
    const groups = cut(partitions, target);
    if (groups.length <= Math.max(1, max)) return groups;
  }
}

function cut(
  partitions: readonly { readonly bytes: number; readonly rows: number }[],
  target: number,
): PartitionGroup[] {
  const groups: PartitionGroup[] = [];
  let from = 0;
  let held = 0;
  let rows = 0;
  for (const [index, partition] of partitions.entries()) {
    const weight = partition.bytes + PARTITION_BYTES;
    if (index > from && held + weight > target) {
      groups.push({ from, to: index, rows });
      from = index;
      held = 0;
      rows = 0;
    }
    held += weight;
    rows += partition.rows;
  }
  if (from < partitions.length) groups.push({ from, to: partitions.length, rows });
  return groups;
}
