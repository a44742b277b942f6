import { type Counts, sumCounts } from './counts';
import type { ReportCounts } from './report-types';

/** The counts of a partition, as a report tells them. */
export function reported({
  counts,
  undecided = 0,
}: {
  readonly counts: Counts;
  readonly undecided?: number;
}): ReportCounts {
  return undecided > 0 ? { ...counts, undecided } : counts;
}

/** The totals of a report: the sum over its partitions, with `gates` listed first and in their order. */
export function sumReported(gates: readonly string[], partitions: readonly ReportCounts[]): ReportCounts {
  const undecided = partitions.reduce((sum, partition) => sum + (partition.undecided ?? 0), 0);
  return reported({ counts: sumCounts(gates, partitions), undecided });
}
