import type { PartitionDate } from '../discovery/partition-date';
import type { Plan } from '../discovery/plan-types';
import type { PartitionResult } from '../engine/types';
import { TerminalError } from '../errors';
import { type Counts, gateNames } from './counts';
import { plural } from './format';
import { reported, sumReported } from './report-counts';
import type { PartitionReport, RemovedReport, Report } from './report-types';
import { warningsOf } from './warnings';

export interface ReportInput {
  readonly plan: Plan;
  readonly planDigest: string;
  readonly requestId: string;
  /** One for each partition of the plan, in any order. */
  readonly results: readonly PartitionResult[];
  /** Published partitions under earlier row-wise gates, from {@link stalePartitions}. Default none. */
  readonly stale?: readonly PartitionDate[];
  /** What is published now: for the rows of the partitions that the plan removes, and for what is news. Default nothing. */
  readonly published?: ReadonlyMap<PartitionDate, { readonly counts: Counts; readonly undecided?: number }>;
}

/**
 * What a run found, as a pure function of its frozen plan and its results. `commit` is null until
 * publish fills it in.
 * @throws TerminalError `ConservationError` when the results are not one for each planned partition.
 */
export function buildReport(input: ReportInput): Report {
  const { plan } = input;
  const gates = gateNames(plan.contract);
  const partitions = joinResults(plan, input.results);
  const removed = plan.removed.map((one): RemovedReport => {
    const { published = 0, quarantined = 0 } = input.published?.get(one.date)?.counts ?? {};
    return { ...one, published, quarantined };
  });
  const stale = [...(input.stale ?? [])].toSorted();
  const undecidedBefore = (date: PartitionDate): number => input.published?.get(date)?.undecided ?? 0;
  return {
    formatVersion: 1,
    requestId: input.requestId,
    pipeline: plan.pipeline,
    kind: plan.scope.kind,
    scope: plan.scope,
    planDigest: input.planDigest,
    watermark: { before: plan.base.watermark, after: plan.watermark },
    windowFrom: plan.windowFrom,
    commit: null,
    gates,
    partitions,
    removed,
    totals: sumReported(gates, partitions),
    left: plan.left,
    ignored: plan.ignored,
    stale,
    warnings: warningsOf({ plan, partitions, removed, stale, undecidedBefore }),
  };
}

/**
 * The published partitions that will still stand under earlier row-wise gates once `plan` is
 * committed (SEMANTICS 8.3), in date order.
 */
export function stalePartitions(
  plan: Plan,
  published: Iterable<{ readonly date: PartitionDate; readonly rowsDigest: string }>,
): PartitionDate[] {
  const rewritten = new Set([...plan.partitions, ...plan.removed].map(({ date }) => date));
  return [...published]
    .filter(({ date, rowsDigest }) => rowsDigest !== plan.digests.rows && !rewritten.has(date))
    .map(({ date }) => date)
    .toSorted();
}

function joinResults(plan: Plan, results: readonly PartitionResult[]): PartitionReport[] {
  const byDate = new Map(results.map((result) => [result.date, result]));
  if (byDate.size !== results.length || results.length !== plan.partitions.length) {
    throw new TerminalError(
      'ConservationError',
      `the plan has ${plural(plan.partitions.length, 'partition')}, but there are ${plural(results.length, 'result')} ` +
        `for ${plural(byDate.size, 'date')}. Nothing was published. This is a fault in Tidegate, please report it.`,
    );
  }
  return plan.partitions.map(({ date, reason, files, bytes, keys }) => {
    const result = byDate.get(date);
    if (!result) {
      throw new TerminalError(
        'ConservationError',
        `partition ${date} is in the plan, but has no result. Nothing was published. ` +
          'This is a fault in Tidegate, please report it.',
      );
    }
    return { date, reason, files: files.length, bytes, ...(keys !== undefined && { keys }), ...reported(result) };
  });
}
