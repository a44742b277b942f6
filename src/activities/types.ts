/** What the workflows call. Workflow code imports these as types only. */
import type { Scope } from '../contract/contract';
import type { PartitionDate } from '../discovery/partition-date';
import type { PlanScope } from '../discovery/plan-types';
import type { Counts } from '../quality/counts';
import type { RunFailure, RunRequest, RunSummary } from '../workflows/messages';

/** A JSON document in the run's folder: absolute path, and the SHA-256 of its bytes, checked when it is read. */
export interface DocumentRef {
  readonly path: string;
  readonly sha256: string;
}

export interface PlanRef extends DocumentRef {
  readonly pipeline: string;
  readonly requestId: string;
  /** The plan's own digest. */
  readonly digest: string;
}

/** A plan as the workflow knows it. */
export interface ShownPlan {
  readonly plan: PlanRef;
  readonly taken: number;
  readonly left: number;
  readonly rows: number;
  /** Groups of partitions by bytes, as half-open index ranges into the plan's partitions; at most 200. */
  readonly groups: readonly { readonly from: number; readonly to: number; readonly rows: number }[];
}

export interface DiscoverResult extends ShownPlan {
  readonly ignored: number;
  /** Partitions that leave the table, and those that wait for somebody to decide. Absent in histories of earlier releases. */
  readonly removed?: number;
  readonly held?: number;
}

/** What `resolveKeys` wrote; in scope `table` with the plan as completed. */
export interface Resolved extends DocumentRef {
  readonly completed?: ShownPlan;
}

export interface ReportRef extends DocumentRef {
  readonly totals: Counts;
}

/** How persistent a run is; set by the worker's options and recorded in the run's history. */
export interface RunPolicy {
  /** Attempts of an activity before the run fails. */
  readonly maximumAttempts: number;
  /** Milliseconds before the second attempt; doubled each time, up to a minute. */
  readonly initialIntervalMs: number;
  /** Milliseconds without a heartbeat after which an attempt counts as lost. */
  readonly heartbeatTimeoutMs: number;
  /** Where Polars work is done. */
  readonly dataTaskQueue: string;
  /** Groups of partitions transformed at once. */
  readonly parallelism: number;
}

export interface CommittedState {
  readonly version: number;
  readonly watermark: PartitionDate | null;
  /** The recorded outcome when the request id asked about is already committed. */
  readonly committed: RunSummary | null;
  readonly policy: RunPolicy;
}

/** What `awaitRun` saw of a run that somebody else started. */
export type AwaitedRun =
  | { readonly ok: true; readonly summary: RunSummary }
  | { readonly ok: false; readonly failure: RunFailure };

export interface Activities {
  /** What a requester must know of a pipeline. @throws ContractError when no worker knows it. */
  readonly describePipeline: (input: { pipeline: unknown }) => Promise<{ pipeline: string; scope: Scope }>;
  /** The table's version and watermark, and the recorded outcome when this request id is already committed. */
  readonly readCommittedState: (input: { pipeline: string; requestId?: string }) => Promise<CommittedState>;
  /** Makes a plan, writes it to the run's folder. @throws SchemaMismatch, UnreadableFile, SourceError, RestateRequired, PlanChanged. */
  readonly discoverPartitions: (input: {
    pipeline: string;
    requestId: string;
    scope: PlanScope;
    expectPlan?: string;
  }) => Promise<DiscoverResult>;
  /**
   * Makes a new version with the content of version `to`, or returns the outcome that is already committed.
   * @throws VoidPlan, RequestError.
   */
  readonly rollback: (input: { pipeline: string; requestId: string; to: number }) => Promise<RunSummary>;
  /**
   * Finds rows that lost or repeat. In scope `table` it also completes the plan by the partitions that are coupled:
   * the run goes on with the plan and the groups that it returns.
   */
  readonly resolveKeys: (input: { plan: PlanRef; expectPlan?: string }) => Promise<Resolved>;
  readonly transformAndGate: (input: {
    plan: PlanRef;
    resolution: DocumentRef;
    group: { from: number; to: number };
  }) => Promise<DocumentRef & { totals: Counts }>;
  readonly writeReport: (input: { plan: PlanRef; results: DocumentRef[] }) => Promise<ReportRef>;
  readonly publish: (input: { plan: PlanRef; results: DocumentRef[]; report: ReportRef }) => Promise<RunSummary>;
  /** Posts to the contract's webhook, if it has one. */
  readonly notify: (input: {
    pipeline: string;
    requestId: string;
    summary?: RunSummary;
    failure?: RunFailure;
  }) => Promise<{ sent: boolean }>;
  /** Waits for an open run of this workflow id, which an earlier execution of the entity started. */
  readonly awaitRun: (input: { workflowId: string }) => Promise<AwaitedRun>;
  /** Signal-with-start of the pipeline's entity. */
  readonly submitRequest: (input: { pipeline: string; request: RunRequest }) => Promise<void>;
}
