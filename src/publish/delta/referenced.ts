import { TerminalError } from '../../errors';
import { forEachInFlight } from '../in-flight';
import type { ObjectStore } from '../../storage';
import type { OutputKind, PartitionState } from '../table';
import { corrupt } from './actions';
import { checkpointKey, KINDS, versionOfStateKey } from './layout';
import { fromLogPath } from './paths';
import { quarantineNow } from './roll-forward';
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
  refer('quarantine', [...(await quarantineNow(place, view.state)).active.values()].flat());
  if (oldest < newest) addState(await loadState(store, (await recordOf(store, oldest)).state));
  const between = Array.from({ length: Math.max(0, newest - oldest - 1) }, (_, index) => oldest + 1 + index);
  await forEachInFlight(between, async (version) => {
    const { state } = await recordOf(store, version);
    addDocument(state, await readDocument(store, state));
  });
  return { files, states };
}

/** Which of these state files are of versions before `oldest`, and the data files that those versions wrote. */
export async function expiredBefore(store: ObjectStore, keys: readonly string[], oldest: number): Promise<Referenced> {
  const files = new Set<string>();
  const states = new Set<string>();
  await forEachInFlight(keys, async (key) => {
    const version = versionOfStateKey(key);
    if (version === null || version >= oldest || (await readRecord(store, version))?.state !== key) return;
    states.add(key);
    try {
      for (const file of filesOf(await readDocument(store, key))) files.add(file);
    } catch (error) {
      // Another vacuum took it meanwhile, and its files before.
      if (!(error instanceof TerminalError)) throw error;
    }
  });
  return { files, states };
}

const filesOf = ({ partitions }: StateDocument): string[] => [...partitions].flatMap(pathsOf);

const pathsOf = ({ curated, quarantine, verdicts }: PartitionState): string[] =>
  [...curated, ...quarantine, ...verdicts].map(({ path }) => path);

async function recordOf(store: ObjectStore, version: number) {
  const record = await readRecord(store, version);
  if (record === null) throw corrupt(`the record of version ${version} in ${store.root} is missing`);
  return record;
}
