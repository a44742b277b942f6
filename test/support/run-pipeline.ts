import { ApplicationFailure } from '@temporalio/common';
import { DefaultLogger } from '@temporalio/worker';
import { MockActivityEnvironment } from '@temporalio/testing';
import { type Activities, createActivities } from '../../src/activities';
import type { DiscoverResult, DocumentRef, ReportRef } from '../../src/activities/types';
import { type Contract, contractsFrom } from '../../src/contract';
import type { RunScope } from '../../src/discovery/plan-types';
import { VOID_PLAN } from '../../src/errors';
import type { Logger } from '../../src/logger';
import type { RunSummary } from '../../src/workflows/messages';

type Name = Exclude<keyof Activities, 'describePipeline' | 'notify' | 'awaitRun' | 'submitRequest'>;
/** Activities a run calls, in their order; `rollback` is all of a rollback but its first step. */
export const RUN_ACTIVITIES = [
  'readCommittedState',
  'discoverPartitions',
  'resolveKeys',
  'transformAndGate',
  'writeReport',
  'publish',
  'rollback',
] as const satisfies readonly Name[];
export type RunActivity = (typeof RUN_ACTIVITIES)[number];

export interface RunOptions {
  /** Do what the workflow does around a plan too: ask whether the request is committed, plan again when the plan is void. */
  readonly asWorkflow?: boolean;
  /** Around every activity: here a test injects faults, retries, and changes the world meanwhile. */
  readonly around?: <T>(activity: RunActivity, attempt: () => Promise<T>) => Promise<T>;
  /** How partitions are shared out; default as planned, one group after another. */
  readonly groups?: 'planned' | 'each, backwards' | 'each, at once';
  /** The worker's log; default silent. */
  readonly log?: Logger;
}

/** Plans a run makes, as the workflow does. */
const MAX_PLANS = 5;

/**
 * One run of a pipeline by its real activities, in the order in which the workflow calls them, without a server.
 * @throws Error when there is nothing to do, unless it is to do as the workflow does.
 */
export async function runPipeline(
  contract: Contract,
  requestId: string,
  scope: RunScope = { kind: 'incremental' },
  options: RunOptions = {},
): Promise<RunSummary> {
  const { pipeline } = contract;
  const call = callsOf(contract, options);
  if (options.asWorkflow) {
    const { committed } = await call('readCommittedState', { pipeline, requestId });
    if (committed) return committed;
  }
  if (scope.kind === 'rollback') return await call('rollback', { pipeline, requestId, to: scope.to });
  for (let plans = 1; ; plans += 1) {
    try {
      const found = await call('discoverPartitions', { pipeline, requestId, scope });
      return await runPlan(found, call, options);
    } catch (error) {
      if (!options.asWorkflow || failureType(error) !== VOID_PLAN || plans === MAX_PLANS) throw error;
    }
  }
}

/** The type of what an activity failed with, as Temporal sees it; undefined for what it would try again. */
export function failureType(error: unknown): string | undefined {
  return error instanceof ApplicationFailure && error.nonRetryable ? (error.type ?? undefined) : undefined;
}

/** What fails here is thrown; Temporal's own word on it would only fill the screen. */
const logger = new DefaultLogger('ERROR');

type Result<N extends RunActivity> = Activities[N] extends (input: never) => Promise<infer R> ? R : never;
type Call = <N extends RunActivity>(name: N, input: Parameters<Activities[N]>[0]) => Promise<Result<N>>;

function callsOf(contract: Contract, { around = (_, attempt) => attempt(), log }: RunOptions): Call {
  const activities = createActivities({ contracts: contractsFrom([contract]), logger: log });
  return <N extends RunActivity>(name: N, input: Parameters<Activities[N]>[0]) =>
    around<Result<N>>(name, async () => {
      const result: unknown = await new MockActivityEnvironment({}, { logger }).run(
        activities[name] as never,
        input as never,
      );
      return result as Result<N>;
    });
}

async function runPlan(found: DiscoverResult, call: Call, { asWorkflow, groups: sharing = 'planned' }: RunOptions) {
  if (found.taken === 0 && !found.removed) {
    if (!asWorkflow) throw new Error('nothing to do');
    return nothing(found, await call('writeReport', { plan: found.plan, results: [] }));
  }
  // Key resolution may complete the plan: the rest of the run then goes by that one.
  const { completed, ...resolution } = await call('resolveKeys', { plan: found.plan });
  const { plan, groups } = completed ?? found;
  const shares = sharing === 'planned' ? groups : groups.flatMap(each);
  const results: DocumentRef[] = [];
  const transform = async (index: number): Promise<void> => {
    results[index] = await call('transformAndGate', { plan, resolution, group: shares[index]! });
  };
  const order = [...shares.keys()].toReversed();
  if (sharing === 'each, at once') await Promise.all(order.map(transform));
  else for (const index of sharing === 'planned' ? shares.keys() : order) await transform(index);
  const report = await call('writeReport', { plan, results });
  return await call('publish', { plan, results, report });
}

function each({ from, to }: DiscoverResult['groups'][number]): DiscoverResult['groups'][number][] {
  return Array.from({ length: to - from }, (_, index) => ({ from: from + index, to: from + index + 1, rows: 0 }));
}

function nothing(
  { plan: { requestId, pipeline }, taken, left, ignored }: DiscoverResult,
  { totals, path }: ReportRef,
): RunSummary {
  const watermark = { before: null, after: null };
  const found = { kind: 'incremental', status: 'nothing', commit: null, totals, taken, left, ignored } as const;
  return { requestId, pipeline, watermark, ...found, report: path };
}
