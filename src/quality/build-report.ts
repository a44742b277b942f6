import type { PartitionDate } from '../discovery/partition-date';
import type { LeftPartition, Plan } from '../discovery/plan-types';
import { LeaveReason } from '../discovery/plan-types';
import type { PartitionResult } from '../engine/types';
import { TerminalError } from '../errors';
import { gateNames, sumCounts } from './counts';
import { dates, formatBytes, plural } from './format';
import type { PartitionReport, Report } from './report-types';

export interface ReportInput {
  readonly plan: Plan;
  readonly planDigest: string;
  readonly requestId: string;
  /** One for each partition of the plan, in any order. */
  readonly results: readonly PartitionResult[];
  /** Published partitions under earlier row-wise gates, from {@link stalePartitions}. Default none. */
  readonly stale?: readonly PartitionDate[];
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
  const stale = [...(input.stale ?? [])].toSorted();
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
    totals: sumCounts(gates, partitions),
    left: plan.left,
    ignored: plan.ignored,
    stale,
    warnings: warningsOf(plan, partitions, stale),
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
  const rewritten = new Set(plan.partitions.map((partition) => partition.date));
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
  return plan.partitions.map(({ date, reason, files, bytes }) => {
    const result = byDate.get(date);
    if (!result) {
      throw new TerminalError(
        'ConservationError',
        `partition ${date} is in the plan, but has no result. Nothing was published. ` +
          'This is a fault in Tidegate, please report it.',
      );
    }
    return { date, reason, files: files.length, bytes, ...result.counts };
  });
}

function warningsOf(plan: Plan, partitions: readonly PartitionReport[], stale: readonly PartitionDate[]): string[] {
  const warnings: string[] = [];
  const { pipeline, contract } = plan;

  const misfiled = partitions.filter((partition) => partition.misfiled > 0);
  if (misfiled.length > 0) {
    const rows = misfiled.reduce((sum, partition) => sum + partition.misfiled, 0);
    warnings.push(
      `${plural(rows, 'row')} in ${dates(misfiled)} ${rows === 1 ? 'carries' : 'carry'} another value in the stored column ` +
        `${contract.source.partitionColumn} than the folder says; the folder's date was used.`,
    );
  }

  const tied = partitions.filter((partition) => partition.ambiguous > 0);
  if (tied.length > 0) {
    const keys = tied.reduce((sum, partition) => sum + partition.ambiguous, 0);
    warnings.push(
      `${plural(keys, 'primary key')} in ${dates(tied)} ${keys === 1 ? 'has' : 'have'} several newest rows that differ; ` +
        'the last one stored won. A further column in deduplicate.orderBy would settle them.',
    );
  }

  if (plan.ignored.length > 0) {
    const files = plan.ignored.reduce((sum, entry) => sum + entry.count, 0);
    const bytes = plan.ignored.reduce((sum, entry) => sum + entry.bytes, 0);
    warnings.push(
      `${plural(plan.ignored.length, 'entry', 'entries')} under the source root ` +
        `${plan.ignored.length === 1 ? 'belongs' : 'belong'} to no partition and ` +
        `${plan.ignored.length === 1 ? 'was' : 'were'} ignored (${plural(files, 'file')}, ${formatBytes(bytes)}).`,
    );
  }

  const late = leftFor(plan, LeaveReason.LateNotTaken);
  if (late.length > 0) {
    warnings.push(
      `${plural(late.length, 'partition')} older than the window ${late.length === 1 ? 'holds' : 'hold'} data that is not published (${dates(late)}). ` +
        `Take it with: tidegate backfill ${pipeline} --from ${late[0]!.date} --to ${late.at(-1)!.date}`,
    );
  }
  const future = leftFor(plan, LeaveReason.Future);
  if (future.length > 0) {
    warnings.push(
      `${plural(future.length, 'partition')} dated later than tomorrow (UTC) ${future.length === 1 ? 'was' : 'were'} left ` +
        `(${dates(future)}); incremental.future: accept takes such partitions.`,
    );
  }
  if (stale.length > 0) {
    warnings.push(
      `${plural(stale.length, 'published partition')} still ${stale.length === 1 ? 'stands' : 'stand'} under earlier gates ` +
        `(${dates(stale.map((date) => ({ date })))}). Restate with: tidegate backfill ${pipeline} --stale`,
    );
  }
  return warnings;
}

function leftFor(plan: Plan, reason: LeaveReason): LeftPartition[] {
  return plan.left.filter((left) => left.reason === reason);
}
