/**
 * The names and payloads by which clients, schedules, tctl and Tidegate's own workflows talk.
 * Everything here is plain JSON and bounded; plans and per-partition results travel as a path and a digest.
 */
import type { PartitionDate } from '../discovery/partition-date';
import type { RunScope } from '../discovery/plan-types';
import type { Counts } from '../quality/counts';

/** What a run is: of its request's scope. */
export type RunKind = RunScope['kind'];

/** Workflow types, as `temporal workflow start --type` takes them. */
export const WorkflowType = {
  pipeline: 'pipeline',
  run: 'run',
  incrementalRun: 'incrementalRun',
  backfill: 'backfill',
  rollback: 'rollback',
} as const;

/** Task queues: workflows and light activities here; Polars work on the data queue, one or two slots a worker. */
export const TASK_QUEUE = 'tidegate';
export const DATA_TASK_QUEUE = 'tidegate-data';

export const pipelineWorkflowId = (pipeline: string): string => `pipeline/${pipeline}`;
export const runWorkflowId = (pipeline: string, requestId: string): string => `pipeline/${pipeline}/run/${requestId}`;

export const requestSignal = 'request';
export const doneSignal = 'done';
export const stateQuery = 'state';
export const pauseUpdate = 'pause';
export const resumeUpdate = 'resume';
export const cancelRunUpdate = 'cancelRun';
/** Requester → entity, when the requester is cancelled: it no longer wants its request. */
export const withdrawSignal = 'withdraw';
/** On `run`: what it is doing now, for live progress. */
export const progressQuery = 'progress';

/** Input of `incrementalRun`. `{"pipeline":"transactions"}` is all it needs. */
export interface IncrementalRunInput {
  readonly pipeline: string;
  /** Late partitions to take, whatever `incremental.late` says: `"all"`, or `["2026-05-01", …]`. */
  readonly includeLate?: 'all' | readonly string[];
  /** Published partitions to remove, their raw files being gone, whatever `incremental.gone` says: likewise. */
  readonly removeGone?: 'all' | readonly string[];
  /** Run exactly the plan with this digest, or fail. */
  readonly plan?: string;
  /** An id of one's own for the request; default `<workflowId>/<firstExecutionRunId>`. */
  readonly requestId?: string;
  /** Carried over continue-as-new only. */
  readonly carried?: { readonly attempt: string };
}

/** Input of `backfill`: `{"pipeline","from","to"}`, both ends included, or `{"pipeline","select":"all"|"stale"}`. */
export interface BackfillInput {
  readonly pipeline: string;
  readonly from?: string;
  readonly to?: string;
  readonly select?: 'all' | 'stale';
  /** Days a chunk (one request, one commit each); ignored in scope `window`. Default 31. */
  readonly chunkDays?: number;
  readonly plan?: string;
  readonly requestId?: string;
  /** Carried over continue-as-new only: the outcomes of the chunks that are done. */
  readonly carried?: { readonly attempt: string; readonly done: readonly ChunkOutcome[] };
}

/** Input of `rollback`: `{"pipeline":"transactions","to":12}`. */
export interface RollbackInput {
  readonly pipeline: string;
  /** The version to restore. */
  readonly to: number;
  /** Whether the pipeline is paused with it, so that the next incremental run does not bring the newer data back. Default true. */
  readonly pause?: boolean;
  readonly requestId?: string;
  /** Carried over continue-as-new only. */
  readonly carried?: { readonly attempt: string };
}

/** Requester → entity, by signal-with-start. */
export interface RunRequest {
  readonly requestId: string;
  /** The requester's run id when it began: a failed request runs again only when this differs from the failed attempt's. */
  readonly attempt: string;
  readonly scope: RunScope;
  readonly plan?: string;
  /** Of a rollback: leave the pipeline as it is, instead of pausing it. */
  readonly noPause?: boolean;
  /** Whom to tell. */
  readonly replyTo: { readonly workflowId: string; readonly runId: string };
}

/** Requester → entity: this waiter left. A request nobody waits for is dropped, or cancelled when it is running. */
export interface Withdrawal {
  readonly requestId: string;
  readonly replyTo: RunRequest['replyTo'];
}

/** Input of the update `pause`. */
export interface PauseInput {
  readonly note?: string;
}

/**
 * Input of the update `cancelRun`. With a request id: that request, running or queued; a run that other
 * requests share goes on for them. Without: whatever runs, for everybody who waits for it.
 */
export interface CancelRunInput {
  readonly requestId?: string;
}
/** What was cancelled; null when nothing matched. */
export interface CancelRunResult {
  readonly requestId: string | null;
  readonly was: 'running' | 'queued' | null;
  /** Requests that share the run and keep it (at most 20); the one cancelled got its answer all the same. */
  readonly others: readonly string[];
}

/** Input of the child `run`. */
export interface RunInput {
  readonly pipeline: string;
  readonly requestId: string;
  readonly scope: RunScope;
  readonly plan?: string;
}

/** What a run came to; bounded. The whole is in the report it names. */
export interface RunSummary {
  readonly requestId: string;
  readonly pipeline: string;
  readonly kind: RunKind;
  /** What was asked for. Absent when skipped, and from earlier releases. */
  readonly scope?: RunScope;
  readonly status: 'committed' | 'nothing' | 'skipped';
  /** Why it was skipped: `paused`. */
  readonly reason?: string;
  readonly watermark: { readonly before: PartitionDate | null; readonly after: PartitionDate | null };
  readonly commit: { readonly version: number; readonly path: string } | null;
  readonly totals: Counts | null;
  /** How many partitions were taken and left, and how many entries ignored. */
  readonly taken: number;
  readonly left: number;
  readonly ignored: number;
  /** How many partitions were taken out of the table, their raw files being gone. Absent: none. */
  readonly removed?: number;
  /** How many partitions wait for somebody to decide about them. Absent: none. */
  readonly held?: number;
  /** How many partitions of a Delta table the commit overwrote that other writers had changed. Absent: none. */
  readonly overwritten?: number;
  /** Absolute path of report.json; null when skipped. */
  readonly report: string | null;
  /** Of a rollback: whether the pipeline is paused now. */
  readonly paused?: boolean;
}

export interface RunFailure {
  /** A TerminalErrorType, `Cancelled`, or what Temporal calls it. */
  readonly type: string;
  /** One readable line. */
  readonly message: string;
}

/** How a run that was cancelled in time ends; one that had begun to publish ends as it would have. */
export const CANCELLED: RunFailure = {
  type: 'Cancelled',
  message: 'the run was cancelled before anything was published',
};

/** Entity → requester. */
export interface DoneMessage {
  readonly requestId: string;
  readonly attempt: string;
  readonly outcome:
    | { readonly ok: true; readonly summary: RunSummary }
    | { readonly ok: false; readonly failure: RunFailure };
}

/** Result of `backfill`; a failed one carries it as the failure's details. Bounded: at most 1,000 chunks. */
export interface BackfillSummary {
  readonly pipeline: string;
  readonly chunks: readonly ChunkOutcome[];
}

export interface ChunkOutcome {
  readonly requestId: string;
  /** Both ends included; absent for `all` and `stale`. */
  readonly from?: string;
  readonly to?: string;
  readonly status: 'committed' | 'nothing' | 'skipped' | 'failed' | 'not started';
  readonly version?: number;
  /** Absolute path of the chunk's report.json. */
  readonly report?: string;
  readonly published?: number;
  readonly quarantined?: number;
  readonly failure?: RunFailure;
}

/** Answer of the `state` query; bounded (SEMANTICS 9.3). */
export interface PipelineState {
  readonly pipeline: string;
  readonly watermark: PartitionDate | null;
  readonly version: number | null;
  readonly paused: { readonly since: string; readonly note: string } | null;
  readonly running: {
    readonly requestId: string;
    readonly workflowId: string;
    readonly kind: RunKind;
    readonly since: string;
  } | null;
  /** At most 100 ids, oldest first, and how many there are in all. */
  readonly queued: { readonly ids: readonly string[]; readonly count: number };
  /** At most the last 20, newest last. */
  readonly outcomes: readonly {
    readonly requestId: string;
    readonly kind: RunKind;
    readonly finishedAt: string;
    readonly status: RunSummary['status'] | 'failed';
    readonly version: number | null;
    readonly message?: string;
  }[];
  /** Requests answered since the entity was first started. */
  readonly served: number;
}

/** Answer of the `progress` query of a run. */
export interface RunProgress {
  readonly stage:
    | 'reading state'
    | 'discovering'
    | 'resolving keys'
    | 'transforming'
    | 'reporting'
    | 'restoring'
    | 'publishing'
    | 'notifying'
    | 'done';
  /** Which plan this is (1 first; more when plans became void). */
  readonly planNumber: number;
  readonly planDigest: string | null;
  readonly partitions: { readonly taken: number; readonly left: number; readonly done: number };
  readonly rows: { readonly read: number; readonly total: number };
}
