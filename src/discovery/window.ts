import { type PartitionDate, addDays } from './partition-date';

/**
 * The first date of the window an incremental run looks at: `watermark − lookback`, which is in it.
 * Null without a watermark: everything is in the window.
 */
export function windowStart(watermark: PartitionDate | null, lookback: number): PartitionDate | null {
  return watermark === null ? null : addDays(watermark, -lookback);
}
