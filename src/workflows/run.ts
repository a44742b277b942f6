import { ApplicationFailure, CancellationScope, isCancellation, setHandler } from '@temporalio/workflow';
import type { DocumentRef, RunPolicy, ShownPlan } from '../activities/types';
import { TerminalErrorType, VOID_PLAN } from '../errors';
import { describeFailure, failureType } from './failure';
import type { RunInput, RunProgress, RunSummary } from './messages';
import { progressQuery } from './definitions';
import { light, runActivities, telling } from './proxies';

/** Plans a run makes before it gives up on a world that keeps moving (SEMANTICS 7.2). */
const MAX_PLANS = 5;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * One run of a pipeline: plan → resolve → transform and gate → report → publish → notify. A child
 * of the pipeline's entity. Publishing is idempotent by request id, so a run that is tried again,
 * by whomever, returns the outcome that is already committed.
 */
export async function run(input: RunInput): Promise<RunSummary> {
  const progress: Writable<RunProgress> = {
    stage: 'reading state',
    planNumber: 0,
    planDigest: null,
    partitions: { taken: 0, left: 0, done: 0 },
    rows: { read: 0, total: 0 },
  };
  setHandler(progressQuery, () => progress);
  try {
    const summary = await planUntilSettled(input, progress);
    // Published is published: a cancellation that came too late does not change the outcome.
    return await CancellationScope.nonCancellable(async () => {
      progress.stage = 'notifying';
      // A rollback rejects nothing: what it counts was told when it was first published.
      if (summary.kind !== 'rollback' && (summary.totals?.quarantined ?? 0) > 0) await tell({ summary }, input);
      progress.stage = 'done';
      return summary;
    });
  } catch (error) {
    if (isCancellation(error)) throw error;
    const failure = describeFailure(error);
    await tell({ failure }, input);
    throw ApplicationFailure.nonRetryable(failure.message, failure.type);
  }
}

async function planUntilSettled(input: RunInput, progress: Writable<RunProgress>): Promise<RunSummary> {
  for (;;) {
    progress.planNumber += 1;
    try {
      return await attempt(input, progress);
    } catch (error) {
      if (failureType(error) !== VOID_PLAN) throw error;
      if (progress.planNumber >= MAX_PLANS) {
        throw ApplicationFailure.nonRetryable(
          `${MAX_PLANS} plans became void one after another, the last because ${describeFailure(error).message}. ` +
            'Something keeps changing the raw zone or the table while runs read it; run again when it has settled.',
          TerminalErrorType.PlanNeverSettled,
        );
      }
    }
  }
}

async function attempt(input: RunInput, progress: Writable<RunProgress>): Promise<RunSummary> {
  const { pipeline, requestId, scope, plan: expectPlan } = input;
  progress.stage = 'reading state';
  const state = await light.readCommittedState({ pipeline, requestId });
  if (state.committed) return state.committed;

  const { steps, data } = runActivities(state.policy);
  if (scope.kind === 'rollback') {
    progress.stage = 'restoring';
    return await CancellationScope.nonCancellable(() => steps.rollback({ pipeline, requestId, to: scope.to }));
  }
  progress.stage = 'discovering';
  const found = await steps.discoverPartitions({ pipeline, requestId, scope, expectPlan });
  // Histories of earlier releases do not speak of removed and held partitions.
  const { plan, taken, left, ignored, removed = 0, held = 0 } = found;
  showPlan(found, progress);

  if (taken === 0 && removed === 0) {
    progress.stage = 'reporting';
    const report = await steps.writeReport({ plan, results: [] });
    const watermark = { before: state.watermark, after: state.watermark };
    const { totals } = report;
    return {
      requestId,
      pipeline,
      kind: scope.kind,
      scope,
      status: 'nothing',
      watermark,
      commit: null,
      totals,
      taken,
      left,
      ignored,
      held,
      report: report.path,
    };
  }

  progress.stage = 'resolving keys';
  const { completed, ...resolution } = await data.resolveKeys({ plan, expectPlan });
  // In scope `table` the partitions that are coupled are known only now.
  const whole = completed ?? found;
  showPlan(whole, progress);
  progress.stage = 'transforming';
  const results = await transformGroups(whole, state.policy, progress, (group) =>
    data.transformAndGate({ plan: whole.plan, resolution, group }),
  );
  progress.stage = 'reporting';
  const report = await steps.writeReport({ plan: whole.plan, results });
  progress.stage = 'publishing';
  // The point of no return: a run cancelled from here on still says truly whether it was published.
  return await CancellationScope.nonCancellable(() => steps.publish({ plan: whole.plan, results, report }));
}

function showPlan({ plan, taken, left, rows }: ShownPlan, progress: Writable<RunProgress>): void {
  progress.planDigest = plan.digest;
  progress.partitions = { taken, left, done: 0 };
  progress.rows = { read: 0, total: rows };
}

type Group = ShownPlan['groups'][number];

/** Every group of the plan, a few at a time; results stand in plan order. The first failure cancels the others. */
async function transformGroups(
  { groups }: Pick<ShownPlan, 'groups'>,
  { parallelism }: RunPolicy,
  progress: Writable<RunProgress>,
  transform: (group: Group) => Promise<DocumentRef>,
): Promise<DocumentRef[]> {
  const results: DocumentRef[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < groups.length) {
      const index = next++;
      const group = groups[index];
      if (!group) return;
      const { path, sha256 } = await transform(group);
      results[index] = { path, sha256 };
      const { partitions, rows } = progress;
      progress.partitions = { ...partitions, done: partitions.done + group.to - group.from };
      progress.rows = { ...rows, read: rows.read + group.rows };
    }
  };
  const lanes = new CancellationScope();
  await lanes.run(async () => {
    try {
      await Promise.all(Array.from({ length: Math.min(parallelism, groups.length) }, lane));
    } catch (error) {
      lanes.cancel();
      throw error;
    }
  });
  return results;
}

/** Posts the notice, if the contract wants one. A run never fails because somebody could not be told. */
async function tell(
  what: Pick<Parameters<typeof telling.notify>[0], 'summary' | 'failure'>,
  input: RunInput,
): Promise<void> {
  try {
    await telling.notify({ pipeline: input.pipeline, requestId: input.requestId, ...what });
  } catch (error) {
    if (isCancellation(error)) throw error;
    // The failed activity stands in the history with its cause; the run's outcome is what it was.
  }
}
