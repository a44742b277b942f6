import { TerminalError, VoidPlan } from '../../errors';
import type { OutputFile } from '../../engine/types';
import { checkResults } from '../check-results';
import { isRunName } from '../directory/layout';
import { commitOf } from '../directory/next-version';
import { checkRestorable, restore } from '../restore';
import type { Commit, OutputKind, PartitionState, PublishInput, RollbackInput, TableState } from '../table';
import type { Contract } from '../../contract/contract';
import { commitChange, openSettled, type CommitOptions } from './commit';
import { DATA_FILE } from './layout';
import { findCommit } from './requests';
import { oldestKept } from './retained';
import { secureFiles } from './secure-files';
import { loadState, type LoadedState } from './state';
import { readRecord, type Place } from './view';

export interface PublishOptions {
  readonly now: () => Date;
  readonly onWarning: (message: string) => void;
}

/**
 * Commits a run's output, or returns the commit that already holds its request id.
 * @throws VoidPlan when the table's version is no longer the plan's base version, or output files were lost.
 */
export async function publish(place: Place, input: PublishInput, options: PublishOptions): Promise<Commit> {
  checkRun(input.run);
  const { plan } = input;
  const view = await openSettled(place);
  const newest = view.state?.document.commit ?? null;
  const known = newest === null ? null : await findCommit(place.store, newest, input.requestId);
  if (known !== null) return known;
  checkBase(plan.base, newest);
  checkResults(input);
  const commit = after(newest, commitOf(plan.base.version + 1, input, options.now()));
  const partitions = partitionsOf(input, commit.version);
  const paths = partitions.flatMap(({ curated, quarantine }) => [...curated, ...quarantine].map(({ path }) => path));
  try {
    await secureFiles(place.store, paths, input.signal);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw error;
    throw new VoidPlan(`output files are gone: ${String(error)}`);
  }
  const report = () => ({ ...input.report, commit: { version: commit.version, path: place.store.root } });
  const change = { contract: plan.contract, commit, partitions, dropped: plan.removed.map(({ date }) => date) };
  return commitChange(place, view, change, report, commitOptions(input, options));
}

/** Commits an earlier version's content as the newest. */
export async function rollback(
  place: Place,
  contract: Contract,
  input: RollbackInput,
  digests: Commit['digests'],
  options: PublishOptions,
): Promise<Commit> {
  checkRun(input.run);
  const { store } = place;
  const view = await openSettled(place);
  const newest = view.state?.document.commit ?? null;
  const known = newest === null ? null : await findCommit(store, newest, input.requestId);
  if (known !== null) return known;
  checkRestorable(input.to, newest?.version ?? 0, store.root);
  const oldest = await oldestKept(store);
  const record = await readRecord(store, input.to);
  if (input.to < oldest || record === null) {
    throw new TerminalError(
      'RequestError',
      `the data of version ${input.to} was removed by retention (publish.keep); the versions from ${oldest} on are there`,
    );
  }
  const base = stateOf(view.state!);
  const target = stateOf(await loadState(store, record.state));
  const restored = restore({ base, target, request: input, digests, now: options.now() });
  const commit = after(newest, restored.commit);
  const returning = new Set<string>(restored.returning);
  const partitions = [...restored.partitions.values()].filter(({ date }) => returning.has(date));
  const change = { contract, commit, partitions, dropped: restored.leaving };
  const report = () => ({ ...restored.report, commit: { version: commit.version, path: store.root } });
  return commitChange(place, view, change, report, commitOptions(input, options));
}

export function stateOf({ document, partitions }: LoadedState): TableState {
  const { commit } = document;
  return { version: commit.version, commit, watermark: commit.watermark.after, partitions };
}

const commitOptions = (
  { signal, onProgress }: Pick<PublishInput, 'signal' | 'onProgress'>,
  { onWarning }: PublishOptions,
): CommitOptions => ({
  onWarning,
  ...(signal === undefined ? {} : { signal }),
  ...(onProgress === undefined ? {} : { onProgress }),
});

/** Clocks of several publishers may disagree; the commits of a table go forward in time. */
function after(newest: Commit | null, commit: Commit): Commit {
  if (newest === null || newest.committedAt < commit.committedAt) return commit;
  return { ...commit, committedAt: new Date(Date.parse(newest.committedAt) + 1).toISOString() };
}

function checkRun(run: string): void {
  if (isRunName(run)) return;
  throw new TerminalError('RequestError', `"${run}" is no run's name; expected letters, digits and hyphens`);
}

function checkBase(base: PublishInput['plan']['base'], newest: Commit | null): void {
  const version = newest?.version ?? 0;
  if (version !== base.version) {
    throw new VoidPlan(`it was made on version ${base.version}, and the table is at version ${version}`);
  }
  const watermark = newest?.watermark.after ?? null;
  if (watermark !== base.watermark) {
    throw new VoidPlan(
      `it was made on the watermark ${base.watermark}, and version ${version} has ${watermark}: the table was replaced`,
    );
  }
}

function partitionsOf(input: PublishInput, version: number): PartitionState[] {
  const { plan, results, run } = input;
  const planned = new Map(plan.partitions.map((partition) => [partition.date, partition]));
  const column = plan.contract.source.partitionColumn;
  const checked = (files: readonly OutputFile[], kind: OutputKind, date: string): OutputFile[] =>
    files.map((file) => {
      const match = DATA_FILE.exec(file.path);
      const fits = match?.[1] === kind && match[2] === column && match[3] === date;
      if (fits && file.path.includes(`/part-${run}-`)) return file;
      throw new TerminalError(
        'ConservationError',
        `the result names "${file.path}"; expected ${kind}/${column}=${date}/part-${run}-….parquet. Nothing was published. This is a fault in Tidegate, please report it.`,
      );
    });
  return results
    .map((result): PartitionState => {
      const source = planned.get(result.date)!;
      return {
        date: result.date,
        version,
        rowsDigest: plan.digests.rows,
        fingerprint: source.fingerprint,
        counts: result.counts,
        files: source.files,
        curated: checked(result.curated, 'curated', result.date),
        quarantine: checked(result.quarantine, 'quarantine', result.date),
      };
    })
    .toSorted((a, b) => (a.date < b.date ? -1 : 1));
}
