import { forEachInFlight } from '../in-flight';
import type { ObjectStore } from '../../storage';
import type { OutputKind, PartitionState } from '../table';
import type { OutputFile } from '../../engine/types';
import { corrupt } from './actions';
import { checkpointKey, KINDS } from './layout';
import { fromLogPath } from './paths';
import { quarantineNow } from './quarantine-now';
import { activeFiles, loadState, readDocument, type LoadedState } from './state';
import type { FileRef, StateDocument } from './state-document';
import { readRecord, type Place, type View } from './view';

/** Keys, relative to the root. */
export interface Referenced {
  /** Data files. */
  readonly files: ReadonlySet<string>;
  /** State files that the versions are read from, or will be. */
  readonly states: ReadonlySet<string>;
}

/** Everything that versions from `oldest` on refer to: all of the oldest, and what each one after it brought. */
export async function referencedFrom(place: Place, view: View, oldest: number): Promise<Referenced> {
  const { store } = place;
  const files = new Set<string>();
  const states = new Set<string>();
  if (view.state === null) return { files, states };
  const refer = (kind: OutputKind, refs: Iterable<FileRef>): void => {
    for (const { path } of refs) {
      const key = fromLogPath(kind, path);
      if (key !== null) files.add(key);
    }
  };
  const addDocument = (key: string, document: StateDocument): void => {
    const { checkpoint, states: before } = document.since;
    for (const name of [key, ...before, ...(checkpoint === null ? [] : [checkpoint])]) states.add(name);
    for (const file of filesOf(document)) files.add(file);
    for (const kind of KINDS) {
      refer(
        kind,
        Object.values(document.foreign[kind]).flatMap((refs) => refs ?? []),
      );
    }
  };
  const addState = (state: LoadedState): void => {
    addDocument(state.key, state.document);
    for (const kind of KINDS) refer(kind, [...activeFiles(state, kind).values()].flat());
    for (const { verdicts } of state.partitions.values()) for (const { path } of verdicts) files.add(path);
  };
  const { commit, token } = view.state.document;
  const newest = commit.version;
  addState(view.state);
  // The next commit may refer to it, and writes it under this name if it is not there.
  states.add(checkpointKey(newest, token));
  refer('curated', [...view.active.values()].flat());
  refer('quarantine', [...(await quarantineNow(place, view)).active.values()].flat());
  if (oldest < newest) addState(await loadState(store, (await recordOf(store, oldest)).state));
  const between = Array.from({ length: Math.max(0, newest - oldest - 1) }, (_, index) => oldest + 1 + index);
  await forEachInFlight(between, async (version) => {
    const { state } = await recordOf(store, version);
    addDocument(state, await readDocument(store, state));
  });
  return { files, states };
}

/** What versions that are no longer kept refer to; the versions after them may do so too. */
export interface Expired {
  /** Data files, with their bytes. */
  readonly files: ReadonlyMap<string, number>;
  readonly states: ReadonlySet<string>;
}

/** What the versions from `before` on, up to but not `oldest`, refer to. */
export async function expiredBetween(store: ObjectStore, before: number, oldest: number): Promise<Expired> {
  const files = new Map<string, number>();
  const states = new Set<string>();
  const add = (key: string, { since }: StateDocument, partitions: Iterable<PartitionState>): void => {
    for (const name of [key, ...since.states, ...(since.checkpoint === null ? [] : [since.checkpoint])]) {
      states.add(name);
    }
    for (const { path, size } of [...partitions].flatMap(ownFiles)) files.set(path, size);
  };
  const versions = Array.from({ length: Math.max(0, oldest - before) }, (_, index) => before + index);
  await forEachInFlight(versions, async (version) => {
    const { state: key } = await recordOf(store, version);
    if (version === before) {
      const { document, partitions } = await loadState(store, key);
      return add(key, document, partitions.values());
    }
    const document = await readDocument(store, key);
    add(key, document, document.partitions);
  });
  return { files, states };
}

const filesOf = ({ partitions }: StateDocument): string[] => [...partitions].flatMap(pathsOf);

const pathsOf = (partition: PartitionState): string[] => ownFiles(partition).map(({ path }) => path);
const ownFiles = ({ curated, quarantine, verdicts }: PartitionState): readonly OutputFile[] => [
  ...curated,
  ...quarantine,
  ...verdicts,
];

async function recordOf(store: ObjectStore, version: number) {
  const record = await readRecord(store, version);
  if (record === null) throw corrupt(`the record of version ${version} in ${store.root} is missing`);
  return record;
}
