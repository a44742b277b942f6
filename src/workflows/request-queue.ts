import type { Decision } from '../discovery/plan-types';
import type { DoneMessage, PipelineState, RunFailure, RunRequest, RunSummary, Withdrawal } from './messages';

/** Bounds of what the entity keeps and shows (SEMANTICS 9.3). */
const OUTCOMES = 20;
const SHOWN_IDS = 100;
const REMEMBERED_ANSWERS = 40;
/** Requests that wait beyond this many are dropped: their requesters ask again. */
const MOST_WAITERS = 1000;

export interface Waiter {
  readonly requestId: string;
  readonly attempt: string;
  readonly replyTo: RunRequest['replyTo'];
}

/** One run to be made. Several incremental requests that ask for the same may share it. */
export interface QueueEntry {
  /** The id the run commits under: that of the request which came first. */
  readonly requestId: string;
  readonly scope: RunRequest['scope'];
  readonly plan?: string;
  /** Of a rollback: do not pause the pipeline. */
  readonly noPause?: boolean;
  readonly waiters: readonly Waiter[];
}

export type Outcome = DoneMessage['outcome'];
type Kind = RunRequest['scope']['kind'];
type OutcomeLine = PipelineState['outcomes'][number];

interface Answer {
  readonly requestId: string;
  readonly attempt: string;
  readonly outcome: Outcome;
}

export interface Dismissal {
  readonly outcome: Outcome;
  readonly waiters: readonly Waiter[];
}

export interface Cancellation {
  readonly was: 'running' | 'queued' | null;
  /** The run under way is nobody else's: cancel it. */
  readonly cancelRunning: boolean;
  /** Whom to tell now that the request was cancelled. */
  readonly told: readonly Waiter[];
  /** Requests that share the run and keep it. */
  readonly others: readonly string[];
}

/** What an entity carries over continue-as-new: plain JSON. */
export interface CarriedQueue {
  readonly entries: readonly QueueEntry[];
  readonly answers: readonly Answer[];
  readonly outcomes: readonly OutcomeLine[];
  readonly lastKind: Kind | null;
  readonly served: number;
}

/**
 * The entity's requests: what waits, what runs, what was answered. Pure state handling without
 * workflow API, so that its rules (SEMANTICS 9) can be tested for any sequence of messages.
 */
export class RequestQueue {
  #entries: QueueEntry[];
  #running: QueueEntry | null = null;
  #answers: Answer[];
  #outcomes: OutcomeLine[];
  #lastKind: Kind | null;
  #served: number;

  constructor(carried?: CarriedQueue) {
    this.#entries = [...(carried?.entries ?? [])];
    this.#answers = [...(carried?.answers ?? [])];
    this.#outcomes = [...(carried?.outcomes ?? [])];
    this.#lastKind = carried?.lastKind ?? null;
    this.#served = carried?.served ?? 0;
  }

  get running(): QueueEntry | null {
    return this.#running;
  }

  get outcomes(): readonly OutcomeLine[] {
    return this.#outcomes;
  }

  get served(): number {
    return this.#served;
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  queued(): PipelineState['queued'] {
    const ids = this.#entries.flatMap((entry) => entry.waiters.map((waiter) => waiter.requestId));
    return { ids: ids.slice(0, SHOWN_IDS), count: ids.length };
  }

  /**
   * Takes a request in. Returns the answer to send at once when the id was answered before and
   * this is not a new attempt at a failed one; otherwise the request waits, attached to its run.
   */
  accept(request: RunRequest): Outcome | null {
    const answered = this.#answers.find((answer) => answer.requestId === request.requestId);
    if (answered) {
      if (isFinal(answered.outcome) || answered.attempt === request.attempt) return answered.outcome;
      this.#answers = this.#answers.filter((answer) => answer !== answered);
    }
    const waiter: Waiter = { requestId: request.requestId, attempt: request.attempt, replyTo: request.replyTo };
    if (this.#running && holds(this.#running, request.requestId)) {
      this.#running = attach(this.#running, waiter);
      return null;
    }
    const known = this.#entries.findIndex((entry) => holds(entry, request.requestId));
    const at = known >= 0 ? known : this.#entries.findIndex((entry) => canShare(entry, request));
    const entry = this.#entries[at];
    if (known < 0 && this.#waiting() >= MOST_WAITERS) return null;
    if (entry) {
      this.#entries[at] = attach(entry, waiter);
    } else {
      const { requestId, scope, plan, noPause } = request;
      this.#entries.push({ requestId, scope, plan, noPause, waiters: [waiter] });
    }
    return null;
  }

  /** A waiter left. `cancelRunning` is true when nobody is left who waits for the run under way. */
  withdraw(withdrawal: Withdrawal): { readonly cancelRunning: boolean } {
    const without = (entry: QueueEntry): QueueEntry => ({
      ...entry,
      waiters: entry.waiters.filter(
        (waiter) => waiter.requestId !== withdrawal.requestId || waiter.replyTo.runId !== withdrawal.replyTo.runId,
      ),
    });
    this.#entries = this.#entries.map(without).filter((entry) => entry.waiters.length > 0);
    if (!this.#running) return { cancelRunning: false };
    const had = this.#running.waiters.length;
    this.#running = without(this.#running);
    return { cancelRunning: had > 0 && this.#running.waiters.length === 0 };
  }

  /**
   * The next run, now under way; null when nothing waits. Where both kinds wait they alternate, so
   * between two chunks of a backfill at most one incremental run goes first and neither starves.
   */
  start(): QueueEntry | null {
    const other =
      this.#lastKind === null ? -1 : this.#entries.findIndex((entry) => entry.scope.kind !== this.#lastKind);
    const [entry] = this.#entries.splice(Math.max(other, 0), 1);
    this.#running = entry ?? null;
    if (entry) this.#lastKind = entry.scope.kind;
    return this.#running;
  }

  /** Ends the run under way; returns whom to tell. */
  finish(outcome: Outcome, finishedAt: string): readonly Waiter[] {
    const entry = this.#running;
    this.#running = null;
    return entry ? this.#answer(entry, outcome, finishedAt) : [];
  }

  /** Ends the incremental requests that wait, without a run. */
  dismissIncremental(outcomeOf: (entry: QueueEntry) => Outcome, at: string): Dismissal[] {
    const chosen = this.#entries.filter((entry) => entry.scope.kind === 'incremental');
    this.#entries = this.#entries.filter((entry) => !chosen.includes(entry));
    return chosen.map((entry) => {
      const outcome = outcomeOf(entry);
      return { outcome, waiters: this.#answer(entry, outcome, at) };
    });
  }

  /**
   * Cancels one request. Where others share its run, only this request ends and the run goes on for
   * them; where none does, a run that waits is dropped, and one under way is to be cancelled by the
   * caller, whose end then answers the request.
   */
  cancel(requestId: string, failure: RunFailure, at: string): Cancellation {
    const current = this.#running;
    const entry = current && holds(current, requestId) ? current : this.#entries.find((e) => holds(e, requestId));
    if (!entry) return { was: null, cancelRunning: false, told: [], others: [] };
    const was = entry === current ? 'running' : 'queued';
    const others = entry.waiters.filter((waiter) => waiter.requestId !== requestId);
    if (others.length === 0 && was === 'running') return { was, cancelRunning: true, told: [], others: [] };

    const told = entry.waiters.filter((waiter) => waiter.requestId === requestId);
    const rest: QueueEntry = { ...entry, waiters: others };
    if (was === 'running') this.#running = rest;
    else this.#entries = this.#entries.flatMap((e) => (e !== entry ? [e] : others.length > 0 ? [rest] : []));
    this.#answer({ ...entry, requestId, waiters: told }, { ok: false, failure }, at);
    return { was, cancelRunning: false, told, others: [...new Set(others.map((waiter) => waiter.requestId))] };
  }

  carry(): CarriedQueue {
    return {
      entries: this.#entries,
      answers: this.#answers,
      outcomes: this.#outcomes,
      lastKind: this.#lastKind,
      served: this.#served,
    };
  }

  #waiting(): number {
    return this.#entries.reduce((sum, entry) => sum + entry.waiters.length, 0);
  }

  #answer(entry: QueueEntry, outcome: Outcome, finishedAt: string): readonly Waiter[] {
    const answers = entry.waiters.map(({ requestId, attempt }) => ({ requestId, attempt, outcome }));
    this.#answers = [...this.#answers, ...answers].slice(-REMEMBERED_ANSWERS);
    this.#outcomes = [...this.#outcomes, outcomeLine(entry, outcome, finishedAt)].slice(-OUTCOMES);
    this.#served += entry.waiters.length;
    return entry.waiters;
  }
}

/**
 * Whether one run can serve both: incremental ones that ask for the same. Decisions are not added up: a run that
 * takes late partitions is what was decided in one request, and goes when that request is cancelled.
 */
function canShare(a: Pick<RunRequest, 'scope' | 'plan'>, b: Pick<RunRequest, 'scope' | 'plan'>): boolean {
  if (a.plan !== undefined || b.plan !== undefined) return false;
  if (a.scope.kind !== 'incremental' || b.scope.kind !== 'incremental') return false;
  return sameDecision(a.scope.includeLate, b.scope.includeLate) && sameDecision(a.scope.removeGone, b.scope.removeGone);
}

/** Dates of a parsed request are in order, each once. */
function sameDecision(a: Decision | undefined, b: Decision | undefined): boolean {
  return String(a) === String(b);
}

/** A failed or skipped request may be asked for again by a new attempt; a finished one never runs twice. */
function isFinal(outcome: Outcome): boolean {
  return outcome.ok && outcome.summary.status !== 'skipped';
}

function holds(entry: QueueEntry, requestId: string): boolean {
  return entry.waiters.some((waiter) => waiter.requestId === requestId);
}

/** Adds a waiter; one who asks again replaces itself. */
function attach(entry: QueueEntry, waiter: Waiter): QueueEntry {
  const others = entry.waiters.filter(
    (known) => known.requestId !== waiter.requestId || known.replyTo.workflowId !== waiter.replyTo.workflowId,
  );
  return { ...entry, waiters: [...others, waiter] };
}

function outcomeLine(entry: QueueEntry, outcome: Outcome, finishedAt: string): OutcomeLine {
  const base = { requestId: entry.requestId, kind: entry.scope.kind, finishedAt };
  return outcome.ok
    ? { ...base, status: outcome.summary.status, version: outcome.summary.commit?.version ?? null }
    : { ...base, status: 'failed', version: null, message: outcome.failure.message };
}

export function skipped(
  pipeline: string,
  requestId: string,
  kind: Kind,
  watermark: RunSummary['watermark']['before'],
): RunSummary {
  return {
    requestId,
    pipeline,
    kind,
    status: 'skipped',
    reason: 'paused',
    watermark: { before: watermark, after: watermark },
    commit: null,
    totals: null,
    taken: 0,
    left: 0,
    ignored: 0,
    report: null,
  };
}
