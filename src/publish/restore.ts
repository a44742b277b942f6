import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import canonicalize from 'canonicalize';
import { type Contract, resolutionDigest, rowsDigest } from '../contract';
import type { PartitionDate } from '../discovery/partition-date';
import { LeaveReason, type LeftPartition, type RollbackScope, TakeReason } from '../discovery/plan-types';
import { TerminalError } from '../errors';
import { type PartitionReport, type Report, reported, restateCommand, sumCounts, sumReported } from '../quality';
import { existingVersion } from './choose-version';
import type { Commit, PartitionState, RollbackInput, TableState } from './table';

/** A version that brings an earlier one back, before it is built: pure values, the same for every format. */
export interface Restored {
  readonly commit: Commit;
  /** The partitions of the version restored, as they were. */
  readonly partitions: ReadonlyMap<PartitionDate, PartitionState>;
  /** Of those partitions, the ones that come back; the others are in the newest version already. */
  readonly returning: readonly PartitionDate[];
  /** Partitions of the newest version that go. */
  readonly leaving: readonly PartitionDate[];
  readonly report: Report;
}

export interface RestoreInput {
  /** The newest version. */
  readonly base: TableState;
  /** The version to restore. */
  readonly target: TableState;
  readonly request: Pick<RollbackInput, 'requestId' | 'run' | 'to'>;
  /** Today's: what stands under other rules is said in the report. */
  readonly contract: Contract;
  readonly now: Date;
}

/**
 * What a rollback makes of a table (SEMANTICS 3.5): files, watermark, consumed manifests and digests
 * of the version restored. A partition's `version` names who wrote it, so equal numbers are equal content.
 * The report's `commit` is left to the format, which knows the place.
 */
export function restore({ base, target, request, contract, now }: RestoreInput): Restored {
  if (target.commit === null || base.commit === null) throw new Error('a table without commits has nothing to restore');
  const { partitions } = target;
  const returning = [...partitions.values()].filter(
    ({ date, version }) => base.partitions.get(date)?.version !== version,
  );
  const leaving = [...base.partitions.keys()].filter((date) => !partitions.has(date));
  const scope: RollbackScope = { kind: 'rollback', to: request.to };
  const dates = [...returning.map(({ date }) => date), ...leaving].toSorted();
  const [from, to] = [dates[0], dates.at(-1)];
  const gates = [...new Set(returning.flatMap(({ counts }) => Object.keys(counts.violations)))];
  const commit: Commit = {
    formatVersion: 1,
    pipeline: base.commit.pipeline,
    version: base.version + 1,
    requestId: request.requestId,
    run: request.run,
    scope,
    planDigest: digestOf(base, scope),
    watermark: { before: base.watermark, after: target.watermark },
    range: from === undefined || to === undefined ? null : { from, to },
    digests: target.commit.digests,
    partitions: dates.length,
    totals: sumCounts(
      gates,
      returning.map(({ counts }) => counts),
    ),
    committedAt: now.toISOString(),
    committedBy: `${hostname()}/${process.pid}`,
  };
  const brought = returning.map(partitionReport);
  const rules = rowsDigest(contract);
  const stale = [...partitions.values()].filter(({ rowsDigest: under }) => under !== rules);
  const report: Report = {
    formatVersion: 1,
    requestId: request.requestId,
    pipeline: commit.pipeline,
    kind: 'rollback',
    scope,
    planDigest: commit.planDigest,
    watermark: commit.watermark,
    windowFrom: null,
    commit: null,
    gates,
    partitions: brought,
    removed: [],
    totals: sumReported(gates, brought),
    left: leaving.map((date): LeftPartition => ({ date, reason: LeaveReason.NotRestored })),
    ignored: [],
    stale: stale.map(({ date }) => date).toSorted(),
    warnings: warningsOf(commit, contract, stale.length),
  };
  return { commit, partitions, returning: returning.map(({ date }) => date), leaving, report };
}

function partitionReport({ date, files, ...state }: PartitionState): PartitionReport {
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  return { date, reason: TakeReason.Restored, files: files.length, bytes, ...reported(state) };
}

function warningsOf({ pipeline, digests: restored }: Commit, contract: Contract, stale: number): string[] {
  if (restored.resolution !== resolutionDigest(contract)) {
    return [
      `the version restored resolves rows by other rules than today's contract: runs are refused until the contract is taken back too, or the table is restated: tidegate backfill ${pipeline} --all`,
    ];
  }
  if (stale === 0) return [];
  return [
    `${stale === 1 ? 'one partition stands' : `${stale} partitions stand`} under other row-wise gates than today's contract has; to compute them anew: ${restateCommand(contract)}`,
  ];
}

/** What a rollback was asked for, on which version: it takes the place of a plan's digest. */
function digestOf({ version, watermark }: TableState, scope: RollbackScope): string {
  return createHash('sha256')
    .update(canonicalize({ formatVersion: 1, base: { version, watermark }, scope })!)
    .digest('hex');
}

/** @throws TerminalError `RequestError` when `to` is not an earlier version of a table that is at `newest`. */
export function checkRestorable(to: number, newest: number, path: string): void {
  existingVersion(to, newest, path);
  if (to === newest) {
    throw new TerminalError('RequestError', `version ${to} is the newest: there is nothing to roll back`);
  }
}
