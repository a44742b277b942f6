import { resolutionDigest } from '../../contract';
import type { Column, Contract } from '../../contract/contract';
import { TerminalError, VoidPlan } from '../../errors';
import { parseReport } from '../../quality';
import type { PartitionDate } from '../../discovery/partition-date';
import { type OutputFile, QuarantineColumn } from '../../engine/types';
import type { ObjectStore } from '../../storage';
import { forEachInFlight } from '../in-flight';
import type { OutputKind, VerifyFault, VerifyOptions, VerifyReport } from '../table';
import { verifyContent } from '../verify/verify-content';
import type { Add, Setup } from './actions';
import type { ActiveFiles } from './fold-log';
import { KINDS } from './layout';
import { readWhole } from './log-reader';
import { toLogPath } from './paths';
import { quarantineNow } from './roll-forward';
import { loadState, ownFiles, type LoadedState } from './state';
import { columnsOf } from './schema';
import type { CommitRecord, FileRef } from './state-document';
import { statsOf } from './stats';
import { statsFaults } from './stats-faults';
import { openView, readRecord, type Place } from './view';

/** Holds a version against its documents; of the newest also what readers of its two logs see. */
export async function verify(
  place: Place,
  record: CommitRecord,
  contract: Contract,
  options: Omit<VerifyOptions, 'version'>,
): Promise<VerifyReport> {
  const { store } = place;
  const { commit } = record;
  try {
    const state = await loadState(store, record.state);
    const report = parseReport((await store.read(record.report)).toString('utf8'), `${store.root}/${record.report}`);
    const previous = commit.version > 1 ? ((await readRecord(store, commit.version - 1))?.commit ?? null) : null;
    const sameColumns = commit.digests.resolution === resolutionDigest(contract);
    const content = {
      commit,
      previous,
      partitions: state.partitions,
      report,
      store,
      keyOf: (path: string) => path,
      columns: sameColumns ? contract.columns.map(({ name }) => name) : null,
    };
    const verdict = await verifyContent(content, options);
    return { ...verdict, faults: [...verdict.faults, ...(await logFaults(place, state, options.signal))] };
  } catch (error) {
    if (!(error instanceof TerminalError) || error.type !== 'CorruptTable') throw error;
    const fault: VerifyFault = { check: 'state', path: null, date: null, message: error.message };
    return { version: commit.version, partitions: 0, files: 0, bytes: 0, rows: 0, withoutDigest: 0, faults: [fault] };
  }
}

/**
 * Of the newest version, what readers of the two logs are told: partitions in which they name other files than those
 * Tidegate wrote (appended to, compacted, or taken away), and files of which they say what is not so.
 */
async function logFaults(place: Place, state: LoadedState, signal?: AbortSignal): Promise<VerifyFault[]> {
  const view = await openView(place);
  if (view.state === null || view.state.key !== state.key) return [];
  const quarantine = await quarantineNow(place, view);
  const active = { curated: view.active, quarantine: quarantine.active };
  const setups = { curated: view.setup, quarantine: quarantine.setup };
  const faults = KINDS.flatMap((kind) => fileFaults(active[kind], state, kind));
  for (const kind of KINDS) {
    const setup = setups[kind];
    if (setup !== null) faults.push(...(await addFaults(place, { state, kind, setup }, signal)));
  }
  return faults;
}

function fileFaults(active: ActiveFiles, state: LoadedState, kind: OutputKind): VerifyFault[] {
  const names = (files: readonly FileRef[] | undefined): string[] => (files ?? []).map(({ path }) => path).toSorted();
  const values = new Set<string>([...active.keys(), ...state.partitions.keys()]);
  return [...values].toSorted().flatMap((value): VerifyFault[] => {
    const found = names(active.get(value));
    const expected = names(ownFiles(state.partitions.get(value as PartitionDate), kind));
    if (JSON.stringify(found) === JSON.stringify(expected)) return [];
    const date = state.partitions.has(value as PartitionDate) ? (value as PartitionDate) : null;
    const message = `another writer changed the partition "${value}": its log names ${found.length} files, ${found.filter((path) => expected.includes(path)).length} of them Tidegate's, which wrote ${expected.length}; a backfill of it restores it`;
    return [{ check: 'state', path: kind, date, message }];
  });
}

/** Size and statistics that the log tells of Tidegate's files, by which readers find footers and skip files. */
async function addFaults(
  { store, column }: Place,
  { state, kind, setup }: { readonly state: LoadedState; readonly kind: OutputKind; readonly setup: Setup },
  signal?: AbortSignal,
): Promise<VerifyFault[]> {
  const adds = new Map<string, Add>();
  for (const { actions } of (await readWhole(store, kind)).entries) {
    for (const { remove } of actions) if (remove !== undefined) adds.delete(remove.path);
    for (const { add } of actions) if (add !== undefined) adds.set(add.path, add);
  }
  const reserved = new Set<string>(kind === 'curated' ? [column] : [column, ...Object.values(QuarantineColumn)]);
  const columns = columnsOf(setup.metaData.schemaString).filter(({ name }) => !reserved.has(name));
  const files = [...state.partitions.values()].flatMap(({ date, ...partition }) =>
    partition[kind].map((file) => ({ date, file, add: adds.get(toLogPath(kind, file.path)) })),
  );
  const faults: VerifyFault[] = [];
  await forEachInFlight(
    files,
    async ({ date, file, add }) => {
      if (add === undefined) return;
      const say = (check: VerifyFault['check'], message: string): void => {
        faults.push({ check, path: file.path, date, message: `in the log of ${kind}, ${message}` });
      };
      if (add.size !== file.size) say('file', `it has ${add.size} bytes; expected ${file.size}`);
      const expected = add.stats === undefined ? null : await trueStats(store, file, columns);
      if (expected === null) return;
      for (const fault of statsFaults(add.stats!, expected, columns)) say('statistics', `its statistics ${fault}`);
    },
    signal,
  );
  return faults;
}

/** Null for a file that is not what was written, which has its own fault. */
async function trueStats(store: ObjectStore, file: OutputFile, columns: readonly Column[]): Promise<string | null> {
  try {
    return await statsOf(store, file, columns);
  } catch (error) {
    if (error instanceof VoidPlan || (error instanceof TerminalError && error.type === 'ConservationError'))
      return null;
    throw error;
  }
}
