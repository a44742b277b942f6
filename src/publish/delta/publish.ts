import { TerminalError, VoidPlan } from '../../errors';
import type { OutputFile } from '../../engine/types';
import { checkResults } from '../check-results';
import { commitOf } from '../commit-of';
import { DATA_FILE, VERDICTS_FILE } from '../documents';
import { checkRunName } from '../names';
import { checkRestorable, restore } from '../restore';
import type { Commit, FileKind, PartitionState, PublishInput, RollbackInput, TableState } from '../table';
import type { Contract } from '../../contract/contract';
import { corrupt } from './actions';
import { commitChange, openSettled, type CommitOptions } from './commit';
import { writerOf } from './fence';
import type { Change } from './next-commit';
import { findCommit } from './requests';
import { checkKept } from './retained';
import { schemaString } from './schema';
import { secureFiles } from './secure-files';
import { loadState, type LoadedState } from './state';
import { readRecord, type Place, type View } from './view';

export interface PublishOptions {
  readonly now: () => Date;
  readonly onWarning: (message: string) => void;
}

/**
 * Commits a run's output, or returns the commit that already holds its request id.
 * @throws VoidPlan when the table's version is no longer the plan's base version, or output files were lost.
 */
export async function publish(place: Place, input: PublishInput, options: PublishOptions): Promise<Commit> {
  checkRunName(input.run);
  const { plan } = input;
  const view = await openSettled(place);
  const newest = view.state?.document.commit ?? null;
  const known = newest === null ? null : await findCommit(place.store, newest, input.requestId);
  if (known !== null) return known;
  checkBase(plan.base, newest);
  checkResults(input);
  const commit = after(newest, commitOf(plan.base.version + 1, input, options.now()));
  const partitions = partitionsOf(input, commit.version);
  const paths = partitions.flatMap(({ curated, quarantine, verdicts }) =>
    [...curated, ...quarantine, ...verdicts].map(({ path }) => path),
  );
  try {
    await secureFiles(place.store, paths, input.signal);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw error;
    throw new VoidPlan(`output files are gone: ${String(error)}`);
  }
  const report = () => ({ ...input.report, commit: { version: commit.version, path: place.store.root } });
  const schemas = schemasOf(plan.contract);
  const change = {
    contract: plan.contract,
    schemas,
    commit,
    partitions,
    dropped: plan.removed.map(({ date }) => date),
  };
  const check = (now: View): Promise<void> => Promise.resolve(checkNotTaken(now, paths));
  return commitChange(place, view, change, report, { ...commitOptions(input, options), check });
}

/** Commits an earlier version's content as the newest. */
export async function rollback(
  place: Place,
  contract: Contract,
  input: RollbackInput,
  options: PublishOptions,
): Promise<Commit> {
  checkRunName(input.run);
  const { store } = place;
  const view = await openSettled(place);
  const newest = view.state?.document.commit ?? null;
  const known = newest === null ? null : await findCommit(store, newest, input.requestId);
  if (known !== null) return known;
  checkRestorable(input.to, newest?.version ?? 0, store.root);
  const check = (): Promise<void> => checkKept(store, input.to);
  await check();
  try {
    const record = await readRecord(store, input.to);
    if (record === null) throw corrupt(`the record of version ${input.to} in ${store.root} is missing`);
    const base = stateOf(view.state!);
    const kept = await loadState(store, record.state);
    const target = stateOf(kept);
    const restored = restore({ base, target, request: input, contract, now: options.now() });
    const commit = after(newest, restored.commit);
    const returning = new Set<string>(restored.returning);
    const partitions = [...restored.partitions.values()].filter(({ date }) => returning.has(date));
    const { curated, quarantine } = kept.document.tables;
    const schemas = { curated: curated.metaData.schemaString, quarantine: quarantine.metaData.schemaString };
    const change = { contract, schemas, commit, partitions, dropped: restored.leaving };
    const report = () => ({ ...restored.report, commit: { version: commit.version, path: store.root } });
    return await commitChange(place, view, change, report, { ...commitOptions(input, options), check });
  } catch (error) {
    // What is missing may be vacuum's doing, which explains it better.
    await check();
    throw error;
  }
}

const schemasOf = (contract: Contract): Change['schemas'] => ({
  curated: schemaString(contract, 'curated'),
  quarantine: schemaString(contract, 'quarantine'),
});

export function stateOf({ document, partitions }: LoadedState): TableState {
  const { commit } = document;
  return { version: commit.version, commit, watermark: commit.watermark.after, partitions };
}

const commitOptions = (
  { signal, onProgress }: Pick<PublishInput, 'signal' | 'onProgress'>,
  { onWarning }: PublishOptions,
): Omit<CommitOptions, 'check'> => ({
  onWarning,
  ...(signal === undefined ? {} : { signal }),
  ...(onProgress === undefined ? {} : { onProgress }),
});

/** Clocks of several publishers may disagree; the commits of a table go forward in time. */
function after(newest: Commit | null, commit: Commit): Commit {
  if (newest === null || newest.committedAt < commit.committedAt) return commit;
  return { ...commit, committedAt: new Date(Date.parse(newest.committedAt) + 1).toISOString() };
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

/** @throws VoidPlan when a vacuum took, or is taking, what one of the attempts wrote. */
function checkNotTaken({ taken }: View, paths: readonly string[]): void {
  const path = taken.size === 0 ? undefined : paths.find((one) => taken.has(writerOf(one).attempt));
  if (path === undefined) return;
  throw new VoidPlan(`vacuum took the output file ${path}: its run had shown no sign of life for hours`);
}

function partitionsOf(input: PublishInput, version: number): PartitionState[] {
  const { plan, results, run } = input;
  const planned = new Map(plan.partitions.map((partition) => [partition.date, partition]));
  const column = plan.contract.source.partitionColumn;
  const checked = (files: readonly OutputFile[], kind: FileKind, date: string): OutputFile[] =>
    files.map((file) => {
      const match = kind === 'verdicts' ? VERDICTS_FILE.exec(file.path) : DATA_FILE.exec(file.path);
      const named = kind === 'verdicts' ? [kind, ...(match ?? []).slice(1)] : (match ?? []).slice(1);
      const fits = named.join('/') === [kind, column, date].join('/');
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
        ...(result.undecided !== undefined && { undecided: result.undecided }),
        files: source.files,
        curated: checked(result.curated, 'curated', result.date),
        quarantine: checked(result.quarantine, 'quarantine', result.date),
        verdicts: checked(result.verdicts ?? [], 'verdicts', result.date),
      };
    })
    .toSorted((a, b) => (a.date < b.date ? -1 : 1));
}
