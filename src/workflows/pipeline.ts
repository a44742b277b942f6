import {
  CancellationScope,
  CancelledFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  executeChild,
  getExternalWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  ChildWorkflowCancellationType,
  setHandler,
  workflowInfo,
  log,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { PartitionDate } from '../discovery/partition-date';
import {
  cancelRunUpdate,
  doneSignal,
  pauseUpdate,
  requestSignal,
  resumeUpdate,
  stateQuery,
  withdrawSignal,
} from './definitions';
import { describeFailure } from './failure';
import { type PipelineState, WorkflowType, runWorkflowId } from './messages';
import { light, waiting } from './proxies';
import {
  type CarriedQueue,
  type Outcome,
  type QueueEntry,
  RequestQueue,
  type Waiter,
  cancelled,
  skipped,
} from './request-queue';
import type { run as runWorkflow } from './run';

/** History events after which the entity continues as new between two runs; keeps replays after a crash short. */
const HISTORY_LIMIT = 500;

/** Input of the entity `pipeline`: the name, and what it carries over continue-as-new. */
export interface PipelineInput {
  readonly pipeline: string;
  readonly carried?: {
    readonly queue: CarriedQueue;
    readonly watermark: PartitionDate | null;
    readonly version: number | null;
    readonly paused: PipelineState['paused'];
  };
}

/**
 * The entity of one pipeline's table: takes requests one at a time, so that a table has one writer.
 * It holds the watermark and version for those who ask, but the table always wins: every run begins
 * by reading the committed state, so losing this workflow loses nothing.
 */
export async function pipeline(input: PipelineInput): Promise<void> {
  const name = input.pipeline;
  const queue = new RequestQueue(input.carried?.queue);
  let { watermark, version, paused } = input.carried ?? { watermark: null, version: null, paused: null };
  const whole = CancellationScope.current();
  let runScope: CancellationScope | null = null;
  const now = (): string => new Date().toISOString();
  let startedAt = now();

  const state = (): PipelineState => ({
    pipeline: name,
    watermark,
    version,
    paused,
    running: running(name, queue.running, startedAt),
    queued: queue.queued(),
    outcomes: queue.outcomes,
    served: queue.served,
  });

  const skipIncremental = async (): Promise<void> => {
    const outcomeOf = (entry: QueueEntry): Outcome => ({
      ok: true,
      summary: skipped(name, entry.requestId, 'incremental', watermark),
    });
    for (const { waiters, outcome } of queue.dismiss('incremental', outcomeOf, now())) await reply(waiters, outcome);
  };

  setHandler(stateQuery, state);
  setHandler(requestSignal, async (request) => {
    const answer = queue.accept(request);
    if (answer) await reply([request], answer);
    else if (paused) await skipIncremental();
  });
  setHandler(withdrawSignal, (withdrawal) => {
    if (queue.withdraw(withdrawal).cancelRunning) runScope?.cancel();
  });
  setHandler(pauseUpdate, async (options) => {
    paused ??= { since: now(), note: options?.note ?? '' };
    await skipIncremental();
    return state();
  });
  setHandler(resumeUpdate, () => {
    paused = null;
    return state();
  });
  setHandler(cancelRunUpdate, async (options) => {
    const wanted = options?.requestId;
    const current = queue.running;
    const isCurrent = current && (wanted === undefined || current.requestId === wanted || waitsFor(current, wanted));
    if (current && isCurrent) {
      runScope?.cancel();
      return { requestId: current.requestId, was: 'running' };
    }
    if (wanted === undefined) return { requestId: null, was: null };
    const dismissed = queue.dismiss({ requestId: wanted }, () => ({ ok: false, failure: cancelled }), now());
    for (const { waiters, outcome } of dismissed) await reply(waiters, outcome);
    return dismissed.length > 0 ? { requestId: wanted, was: 'queued' } : { requestId: null, was: null };
  });

  if (!input.carried) ({ watermark, version } = await committed(name));

  for (;;) {
    const enough = (): boolean =>
      workflowInfo().continueAsNewSuggested || workflowInfo().historyLength >= HISTORY_LIMIT;
    await condition(() => !queue.isEmpty || enough());
    if (enough()) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof pipeline>({
        pipeline: name,
        carried: { queue: queue.carry(), watermark, version, paused },
      });
    }
    startedAt = now();
    const entry = queue.start();
    if (!entry) continue;
    runScope = new CancellationScope();
    let outcome = await runScope.run(() => runOnce(name, entry));
    runScope = null;
    if (outcome.ok && entry.scope.kind === 'rollback') {
      // Before anything else starts: the next incremental run would bring the newer data back (SEMANTICS 9.4).
      if (entry.noPause !== true) {
        paused ??= { since: now(), note: `rolled back to version ${entry.scope.to}` };
        await skipIncremental();
      }
      outcome = { ok: true, summary: { ...outcome.summary, paused: paused !== null } };
    }
    if (outcome.ok && outcome.summary.status !== 'skipped') {
      watermark = outcome.summary.watermark.after;
      version = outcome.summary.commit?.version ?? version;
    }
    const waiters = queue.finish(outcome, now());
    await CancellationScope.nonCancellable(() => reply(waiters, outcome));
    // Cancelling only the run is an outcome like others; cancelling the entity ends it.
    if (whole.consideredCancelled) throw new CancelledFailure(`the pipeline ${name} was cancelled`);
  }
}

/** Runs the child; where one of this id is still open from before a recovery or reset, waits for that one. */
async function runOnce(name: string, { requestId, scope, plan }: QueueEntry): Promise<Outcome> {
  const workflowId = runWorkflowId(name, requestId);
  try {
    const summary = await executeChild<typeof runWorkflow>(WorkflowType.run, {
      workflowId,
      args: [{ pipeline: name, requestId, scope, plan }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    });
    return { ok: true, summary };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return await outcomeOfOpenRun(workflowId);
    return { ok: false, failure: describeFailure(error) };
  }
}

async function outcomeOfOpenRun(workflowId: string): Promise<Outcome> {
  try {
    return await waiting.awaitRun({ workflowId });
  } catch (error) {
    if (isCancellation(error)) {
      await CancellationScope.nonCancellable(() => getExternalWorkflowHandle(workflowId).cancel());
    }
    return { ok: false, failure: describeFailure(error) };
  }
}

/** What the table says; unknown (null) where it cannot be read now, since the first run will say why. */
async function committed(name: string): Promise<{ watermark: PartitionDate | null; version: number | null }> {
  try {
    const { watermark, version } = await light.readCommittedState({ pipeline: name });
    return { watermark, version };
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.warn('the committed state could not be read at the start; the next run reads it again', {
      reason: describeFailure(error).message,
    });
    return { watermark: null, version: null };
  }
}

/** Tells the requesters. One that is closed is not there to be told (SEMANTICS 9.1). */
async function reply(waiters: readonly Waiter[], outcome: Outcome): Promise<void> {
  await Promise.all(
    waiters.map(async ({ requestId, attempt, replyTo }) => {
      try {
        await getExternalWorkflowHandle(replyTo.workflowId, replyTo.runId).signal(doneSignal, {
          requestId,
          attempt,
          outcome,
        });
      } catch (error) {
        if (isCancellation(error)) throw error;
        log.info('a requester was gone before its outcome', { requestId, workflowId: replyTo.workflowId });
      }
    }),
  );
}

function waitsFor(entry: QueueEntry, requestId: string): boolean {
  return entry.waiters.some((waiter) => waiter.requestId === requestId);
}

function running(name: string, entry: QueueEntry | null, since: string): PipelineState['running'] {
  if (!entry) return null;
  const { requestId, scope } = entry;
  return { requestId, workflowId: runWorkflowId(name, requestId), kind: scope.kind, since };
}
