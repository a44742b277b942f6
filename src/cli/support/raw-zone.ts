import type { Contract } from '../../contract';
import { type LeftPartition, type PartitionDate, discoverInput, survey } from '../../discovery';
import { messageOf } from '../../errors';
import type { TableState } from '../../publish';
import { type LeftOut, dates, leftOut, plural } from '../../quality';
import { leftOutLines } from './left-out';

/** What the next incremental run finds in the raw zone, by names and stat alone. */
export interface RawZoneStatus {
  readonly path: string;
  /** Partitions that the next run takes and removes; in scope `table` it may rewrite more, which are coupled to these. */
  readonly toTake: readonly PartitionDate[];
  readonly toRemove: readonly PartitionDate[];
  /** Partitions that wait for somebody to decide about them. */
  readonly held: number;
  readonly leftOut: readonly LeftOut[];
  /** Why nothing is known, when the raw zone cannot be read or runs are refused. */
  readonly error: string | null;
}

export async function rawZoneStatus(
  contract: Contract,
  state: TableState,
): Promise<RawZoneStatus & { readonly left: readonly LeftPartition[] }> {
  const { path } = contract.source;
  try {
    const { taken, removed, left } = await survey(discoverInput(contract, { kind: 'incremental' }, state));
    const out = leftOut(contract.pipeline, left);
    return {
      path,
      toTake: taken.map(({ date }) => date),
      toRemove: removed.map(({ date }) => date),
      held: out.filter(({ held }) => held).reduce((sum, one) => sum + one.dates.length, 0),
      leftOut: out,
      error: null,
      left,
    };
  } catch (error) {
    return { path, toTake: [], toRemove: [], held: 0, leftOut: [], error: messageOf(error), left: [] };
  }
}

/** What the next run would do, then one line for each kind of partition that it leaves out. */
export function rawZoneLines(pipeline: string, zone: Awaited<ReturnType<typeof rawZoneStatus>>): string[] {
  if (zone.error !== null) return [zone.error];
  const named = (items: readonly PartitionDate[]): string => dates(items.map((date) => ({ date })));
  const next = [
    ...(zone.toTake.length > 0 ? [`${plural(zone.toTake.length, 'partition')} to take (${named(zone.toTake)})`] : []),
    ...(zone.toRemove.length > 0 ? [`${zone.toRemove.length} to remove (${named(zone.toRemove)})`] : []),
  ];
  return [next.length > 0 ? next.join(', ') : 'nothing new or changed', ...leftOutLines(pipeline, zone.left)];
}
