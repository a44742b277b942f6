import {
  CancellationScope,
  CancelledFailure,
  ApplicationFailure,
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
import { TerminalErrorType } from '../errors';
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
import {
  CANCELLED,
  type CancelRunResult,
  type PipelineState,
  WorkflowType,
  pipelineWorkflowId,
  runWorkflowId,
} from './messages';
import { parseCancelRun, parsePause, parseRequest, parseWithdrawal } from './parse-messages';
import { light, waiting } from './proxies';
import { type CarriedQueue, type Outcome, type QueueEntry, RequestQueue, type Waiter, skipped } from './request-queue';
import type { run as runWorkflow } from './run';

/** History events after which the entity continues as new between two runs; keeps replays after a crash short. */
const HISTORY_LIMIT = 500;
/** Signals of one workflow task; the server allows 2,000 that are not yet delivered. */
const REPLIES_AT_ONCE = 100;
/** Requests that share a run, as listed to whoever cancelled one of them. */
const SHOWN_OTHERS = 20;

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
  const name = input?.pipeline;
  if (typeof name !== 'string' || workflowInfo().workflowId !== pipelineWorkflowId(name)) {
    throw ApplicationFailure.nonRetryable(
      'the workflow "pipeline" is started by requesters, under the id pipeline/<name>: start incrementalRun, backfill or rollback instead',
      TerminalErrorType.RequestError,
    );
  }
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
    running: runningState(name, queue.running, startedAt),
    queued: queue.queued(),
    outcomes: queue.outcomes,
    served: queue.served,
  });

  const skipIncremental = async (): Promise<void> => {
    const outcomeOf = (entry: QueueEntry): Outcome => ({
      ok: true,
      summary: skipped(name, entry.requestId, 'incremental', watermark),
    });
    for (const { waiters, outcome } of queue.dismissIncremental(outcomeOf, now())) await reply(waiters, outcome);
  };

  setHandler(stateQuery, state);
  setHandler(requestSignal, async (message: unknown) => {
    const request = parseRequest(message);
    if (!request) {
      log.warn('a request signal that is none was dropped', { message: JSON.stringify(message)?.slice(0, 500) });
      return;
    }
    const answer = queue.accept(request);
    if (answer) await reply([request], answer);
    else if (paused) await skipIncremental();
  });
  setHandler(withdrawSignal, (message: unknown) => {
    const withdrawal = parseWithdrawal(message);
    if (withdrawal && queue.withdraw(withdrawal).cancelRunning) runScope?.cancel();
  });
  setHandler(pauseUpdate, async (options: unknown) => {
    paused ??= { since: now(), ...parsePause(options) };
    await skipIncremental();
    return state();
  });
  setHandler(resumeUpdate, () => {
    paused = null;
    return state();
  });
  setHandler(cancelRunUpdate, async (options: unknown): Promise<CancelRunResult> => {
    const asked = parseCancelRun(options);
    if (typeof asked === 'string') throw ApplicationFailure.nonRetryable(asked, TerminalErrorType.RequestError);
    const { requestId } = asked;
    if (requestId === undefined) {
      const running = queue.running?.requestId ?? null;
      runScope?.cancel();
      return { requestId: running, was: running === null ? null : 'running', others: [] };
    }
    const { was, cancelRunning, told, others } = queue.cancel(requestId, CANCELLED, now());
    if (cancelRunning) runScope?.cancel();
    await reply(told, { ok: false, failure: CANCELLED });
    return { requestId: was === null ? null : requestId, was, others: others.slice(0, SHOWN_OTHERS) };
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

/** A cancelled run is waited for too: it may have begun to publish, and only its end says so. */
async function outcomeOfOpenRun(workflowId: string): Promise<Outcome> {
  try {
    return await waiting.awaitRun({ workflowId });
  } catch (error) {
    if (!isCancellation(error)) return { ok: false, failure: describeFailure(error) };
    return await CancellationScope.nonCancellable(async () => {
      try {
        await getExternalWorkflowHandle(workflowId).cancel();
      } catch {
        // It has ended meanwhile.
      }
      return await waiting.awaitRun({ workflowId });
    });
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
  for (let from = 0; from < waiters.length; from += REPLIES_AT_ONCE) {
    await Promise.all(waiters.slice(from, from + REPLIES_AT_ONCE).map((waiter) => tell(waiter, outcome)));
  }
}

async function tell({ requestId, attempt, replyTo }: Waiter, outcome: Outcome): Promise<void> {
  try {
    const requester = getExternalWorkflowHandle(replyTo.workflowId, replyTo.runId);
    await requester.signal(doneSignal, { requestId, attempt, outcome });
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.info('a requester was gone before its outcome', { requestId, workflowId: replyTo.workflowId });
  }
}

function runningState(name: string, entry: QueueEntry | null, since: string): PipelineState['running'] {
  if (!entry) return null;
  const { requestId, scope } = entry;
  return { requestId, workflowId: runWorkflowId(name, requestId), kind: scope.kind, since };
}
