import type { PlannedPartition } from '../../discovery/plan-types';
import type { PartitionState } from '../../publish/table';
import type { SourcePartition } from '../resolve-scope';

/** A partition of the table as it will be. */
export interface Member {
  /** Its index among the members, which are in date order: later is greater in a tie (SEMANTICS 4.2). */
  readonly index: number;
  /** What it is computed from. */
  readonly source: SourcePartition;
  /** As committed; null when it is new. */
  readonly committed: PartitionState | null;
  /** Whether this run takes it: its rows are resolved afresh. The others keep their verdicts where nothing touches them. */
  readonly taken: boolean;
}

/** The table after the run: what it takes, and what it leaves as it is. */
export function membersOf(
  taken: readonly PlannedPartition[],
  removed: ReadonlySet<string>,
  committed: ReadonlyMap<string, PartitionState>,
): Member[] {
  const dates = new Set(taken.map(({ date }) => date));
  const kept = [...committed.values()].filter(({ date }) => !dates.has(date) && !removed.has(date));
  const all = [
    ...taken.map((source) => ({ source, committed: committed.get(source.date) ?? null, taken: true })),
    ...kept.map((state) => ({ source: sourceOfState(state), committed: state, taken: false })),
  ];
  return all
    .toSorted((a, b) => (a.source.date < b.source.date ? -1 : 1))
    .map((member, index) => ({ index, ...member }));
}

export function sourceOfState({ date, files, fingerprint }: PartitionState): SourcePartition {
  return {
    date,
    files,
    fingerprint,
    rows: files.reduce((sum, { rows }) => sum + rows, 0),
    bytes: files.reduce((sum, { size }) => sum + size, 0),
  };
}
