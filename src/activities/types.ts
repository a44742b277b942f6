/** What the workflows call. Workflow code imports these as types only. */
import type { PartitionDate } from '../discovery/partition-date';
import type { RunScope } from '../discovery/plan-types';
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

export interface DiscoverResult {
  readonly plan: PlanRef;
  readonly taken: number;
  readonly left: number;
  readonly ignored: number;
  readonly rows: number;
  /** Groups of partitions by bytes, as half-open index ranges into the plan's partitions; at most 200. */
  readonly groups: readonly { readonly from: number; readonly to: number; readonly rows: number }[];
}

export interface ReportRef extends DocumentRef {
  readonly totals: Counts;
}

export interface Activities {
  /** What a requester must know of a pipeline. @throws ContractError when no worker knows it. */
  describePipeline(input: { pipeline: string }): Promise<{ scope: 'partition' | 'window'; today: PartitionDate }>;
  /** The table's version and watermark, and the recorded outcome when this request id is already committed. */
  readCommittedState(input: { pipeline: string; requestId?: string }): Promise<{
    version: number;
    watermark: PartitionDate | null;
    committed: RunSummary | null;
  }>;
  discoverPartitions(input: {
    pipeline: string;
    requestId: string;
    scope: RunScope;
    expectPlan?: string;
  }): Promise<DiscoverResult>;
  resolveKeys(input: { plan: PlanRef }): Promise<DocumentRef>;
  transformAndGate(input: {
    plan: PlanRef;
    resolution: DocumentRef;
    group: { from: number; to: number };
  }): Promise<DocumentRef & { totals: Counts }>;
  writeReport(input: { plan: PlanRef; results: DocumentRef[] }): Promise<ReportRef>;
  publish(input: { plan: PlanRef; results: DocumentRef[]; report: ReportRef }): Promise<RunSummary>;
  /** Posts to the contract's webhook, if it has one. */
  notify(input: {
    pipeline: string;
    requestId: string;
    summary?: RunSummary;
    failure?: RunFailure;
  }): Promise<{ sent: boolean }>;
  /** Signal-with-start of the pipeline's entity. */
  submitRequest(input: { pipeline: string; request: RunRequest }): Promise<void>;
}
