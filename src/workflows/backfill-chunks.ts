import { type PartitionDate, addDays, daysBetween, parsePartitionDate } from '../discovery/partition-date';
import type { PlanScope } from '../discovery/plan-types';
import type { BackfillInput } from './messages';

export type Chunk = Exclude<PlanScope, { kind: 'incremental' }>;

/** Days of a chunk unless the request says otherwise: about a month, so about a month is redone when one fails. */
const DEFAULT_CHUNK_DAYS = 31;
const MAX_CHUNKS = 1000;

/**
 * The requests a backfill is made of, in date order, without gaps or overlaps; `whole` makes it one
 * (scope `window` is never chunked). A text instead says what is wrong with the input, which may
 * come from a hand-written JSON argument and is trusted in nothing.
 */
export function chunksOf(input: BackfillInput, whole: boolean): readonly Chunk[] | string {
  const { select, chunkDays = DEFAULT_CHUNK_DAYS } = input;
  if (select !== undefined) {
    if (select !== 'all' && select !== 'stale') return `select is "all" or "stale", found ${JSON.stringify(select)}`;
    if (input.from !== undefined || input.to !== undefined) return 'give either from and to, or select, not both';
    return [{ kind: 'backfill', select }];
  }
  const from = dateOf(input.from);
  const to = dateOf(input.to);
  if (!from || !to) {
    const found = JSON.stringify({ from: input.from, to: input.to });
    return `a backfill needs from and to as real dates, YYYY-MM-DD, both included (or select: "all" | "stale"); found ${found}`;
  }
  if (to < from) return `to (${to}) is before from (${from}); both ends are included, in date order`;
  if (!Number.isInteger(chunkDays) || chunkDays < 1)
    return `chunkDays is a whole number from 1, found ${JSON.stringify(chunkDays)}`;
  const days = daysBetween(from, to) + 1;
  if (whole) return [{ kind: 'backfill', from, to }];
  const count = Math.ceil(days / chunkDays);
  if (count > MAX_CHUNKS) {
    const least = Math.ceil(days / MAX_CHUNKS);
    return `${days} days in chunks of ${chunkDays} make ${count} chunks, the most is ${MAX_CHUNKS}: set chunkDays to ${least} or more, or backfill shorter ranges`;
  }
  return Array.from({ length: count }, (_, index) => {
    const first = index * chunkDays;
    const last = Math.min(first + chunkDays, days) - 1;
    return { kind: 'backfill', from: addDays(from, first), to: addDays(from, last) };
  });
}

function dateOf(value: unknown): PartitionDate | null {
  return typeof value === 'string' ? parsePartitionDate(value) : null;
}
