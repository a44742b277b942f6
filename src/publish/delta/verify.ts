import { resolutionDigest } from '../../contract';
import type { Contract } from '../../contract/contract';
import { TerminalError } from '../../errors';
import { parseReport } from '../../quality';
import type { PartitionDate } from '../../discovery/partition-date';
import type { VerifyFault, VerifyOptions, VerifyReport } from '../table';
import { verifyContent } from '../verify/verify-content';
import { KINDS } from './layout';
import { quarantineNow } from './roll-forward';
import { loadState, ownFiles, type LoadedState } from './state';
import type { CommitRecord, FileRef } from './state-document';
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
    return { ...verdict, faults: [...verdict.faults, ...(await logFaults(place, state))] };
  } catch (error) {
    if (!(error instanceof TerminalError) || error.type !== 'CorruptTable') throw error;
    const fault: VerifyFault = { check: 'state', path: null, date: null, message: error.message };
    return { version: commit.version, partitions: 0, files: 0, bytes: 0, rows: 0, withoutDigest: 0, faults: [fault] };
  }
}

/** Partitions in which the logs name other files than those Tidegate wrote: appended to, compacted, or taken away. */
async function logFaults(place: Place, state: LoadedState): Promise<VerifyFault[]> {
  const view = await openView(place);
  if (view.state === null || view.state.key !== state.key) return [];
  const active = { curated: view.active, quarantine: (await quarantineNow(place, view)).active };
  const names = (files: readonly FileRef[] | undefined): string[] => (files ?? []).map(({ path }) => path).toSorted();
  return KINDS.flatMap((kind) => {
    const values = new Set<string>([...active[kind].keys(), ...state.partitions.keys()]);
    return [...values].toSorted().flatMap((value): VerifyFault[] => {
      const found = names(active[kind].get(value));
      const expected = names(ownFiles(state.partitions.get(value as PartitionDate), kind));
      if (JSON.stringify(found) === JSON.stringify(expected)) return [];
      const date = state.partitions.has(value as PartitionDate) ? (value as PartitionDate) : null;
      const message = `another writer changed the partition "${value}": its log names ${found.length} files, ${found.filter((path) => expected.includes(path)).length} of them Tidegate's, which wrote ${expected.length}; a backfill of it restores it`;
      return [{ check: 'state', path: kind, date, message }];
    });
  });
}
