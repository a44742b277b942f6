import type { PartitionDate } from '../../discovery/partition-date';
import type { OtherCommit } from '../../quality';
import type { ObjectStore } from '../../storage';
import { forEachInFlight } from '../in-flight';
import type { OutputKind, PartitionState } from '../table';
import { corrupt } from './actions';
import { sameFiles } from './fold-log';
import { checkpointKey, KINDS } from './layout';
import { toLogPath } from './paths';
import { readIfThere } from './read';
import {
  parseStateCheckpoint,
  parseStateDocument,
  type FileRef,
  type Foreign,
  type OthersChange,
  type Overrides,
  type StateCheckpoint,
  type StateDocument,
} from './state-document';

/** After how many commits the state is written whole once more. Opening reads that many small files at most. */
export const CHECKPOINT_EVERY = 50;

/** The state of a Tidegate version, whole. */
export interface LoadedState {
  readonly key: string;
  readonly document: StateDocument;
  /** In date order. */
  readonly partitions: ReadonlyMap<PartitionDate, PartitionState>;
  /** Partition values whose files are not those Tidegate wrote. */
  readonly foreign: Readonly<Record<OutputKind, ReadonlyMap<string, readonly FileRef[]>>>;
  /** Partition values whose rows others changed since Tidegate wrote them, and by which commits. */
  readonly others: Readonly<Record<OutputKind, ReadonlyMap<string, readonly OtherCommit[]>>>;
}

/** Reads a state: at most one checkpoint and {@link CHECKPOINT_EVERY} documents, the documents at once. */
export async function loadState(store: ObjectStore, key: string): Promise<LoadedState> {
  const document = await readDocument(store, key);
  const { checkpoint, states } = document.since;
  const documents: StateDocument[] = [];
  let start: StateCheckpoint | null = null;
  await forEachInFlight([...states.entries(), [-1, checkpoint] as const], async ([index, name]) => {
    if (name === null) return;
    if (index === -1) start = parseStateCheckpoint(await text(store, name), `${store.root}/${name}`);
    else documents[index] = await readDocument(store, name);
  });
  return { key, document, ...fold(start, [...documents, document]) };
}

export async function readDocument(store: ObjectStore, key: string): Promise<StateDocument> {
  return parseStateDocument(await text(store, key), `${store.root}/${key}`);
}

/** Applies what each commit changed, oldest first. */
export function fold(
  start: Pick<StateCheckpoint, 'partitions' | 'foreign' | 'others'> | null,
  documents: readonly StateDocument[],
): Pick<LoadedState, 'partitions' | 'foreign' | 'others'> {
  const partitions = new Map((start?.partitions ?? []).map((partition) => [partition.date, partition]));
  const foreign: Record<OutputKind, Map<string, readonly FileRef[]>> = { curated: new Map(), quarantine: new Map() };
  const others: Record<OutputKind, Map<string, readonly OtherCommit[]>> = { curated: new Map(), quarantine: new Map() };
  const override = (changes: Pick<StateCheckpoint, 'foreign' | 'others'>): void => {
    for (const kind of KINDS) {
      apply(foreign[kind], changes.foreign[kind]);
      apply(others[kind], changes.others?.[kind] ?? {});
    }
  };
  if (start !== null) override(start);
  for (const document of documents) {
    for (const date of document.dropped) partitions.delete(date);
    for (const partition of document.partitions) partitions.set(partition.date, partition);
    override(document);
  }
  return { partitions: new Map([...partitions].toSorted(([a], [b]) => (a < b ? -1 : 1))), foreign, others };
}

function apply<Value>(map: Map<string, Value>, changes: Overrides<Value>): void {
  for (const [value, now] of Object.entries(changes)) {
    if (now === null) map.delete(value);
    else map.set(value, now);
  }
}

/** The files that a Delta table has after a version of ours, by partition value. */
export function activeFiles(state: LoadedState | null, kind: OutputKind): Map<string, FileRef[]> {
  const active = new Map<string, FileRef[]>();
  if (state === null) return active;
  for (const partition of state.partitions.values()) {
    const files = ownFiles(partition, kind);
    if (files.length > 0) active.set(partition.date, files);
  }
  for (const [value, files] of state.foreign[kind]) active.set(value, [...files]);
  return active;
}

export const ownFiles = (partition: PartitionState | undefined, kind: OutputKind): FileRef[] =>
  (partition?.[kind] ?? []).map(({ path, size, rows }) => ({ path: toLogPath(kind, path), size, rows }));

/** How the active files differ from those that Tidegate wrote, where they did or do. */
export function foreignOf(
  active: ReadonlyMap<string, readonly FileRef[]>,
  partitions: ReadonlyMap<PartitionDate, PartitionState>,
  before: ReadonlyMap<string, readonly FileRef[]>,
  kind: OutputKind,
): Foreign {
  const changes: Record<string, readonly FileRef[] | null> = {};
  for (const value of new Set([...active.keys(), ...partitions.keys(), ...before.keys()])) {
    const now = active.get(value) ?? [];
    const own = ownFiles(partitions.get(value as PartitionDate), kind);
    const known = before.get(value);
    if (sameFiles(now, own)) {
      if (known !== undefined) changes[value] = null;
    } else if (known === undefined || !sameFiles(known, now)) {
      changes[value] = now;
    }
  }
  return changes;
}

/** How those who changed rows since Tidegate wrote them differ from those known of `before`. */
export function othersOf(
  now: ReadonlyMap<string, readonly OtherCommit[]>,
  before: ReadonlyMap<string, readonly OtherCommit[]>,
): OthersChange {
  const changes: Record<string, readonly OtherCommit[] | null> = {};
  for (const value of new Set([...now.keys(), ...before.keys()])) {
    const commits = now.get(value) ?? null;
    if (JSON.stringify(commits) !== JSON.stringify(before.get(value) ?? null)) changes[value] = commits;
  }
  return changes;
}

/** What the next state is a difference to. A checkpoint is written where the row of documents grew long. */
export async function sinceOf(store: ObjectStore, state: LoadedState | null): Promise<StateDocument['since']> {
  if (state === null) return { checkpoint: null, states: [] };
  const { checkpoint, states } = state.document.since;
  if (states.length + 1 < CHECKPOINT_EVERY) return { checkpoint, states: [...states, state.key] };
  const { commit, token } = state.document;
  const key = checkpointKey(commit.version, token);
  const lines = [...state.partitions.values()].map((partition) => JSON.stringify(partition)).join(',\n');
  const wholeOf = <Value>(maps: Readonly<Record<OutputKind, ReadonlyMap<string, Value>>>): string =>
    JSON.stringify({ curated: Object.fromEntries(maps.curated), quarantine: Object.fromEntries(maps.quarantine) });
  // Its content follows from its name, so whoever was first has written the same.
  await store.putIfAbsent(
    key,
    `{"formatVersion":1,"version":${commit.version},"foreign":${wholeOf(state.foreign)},"others":${wholeOf(state.others)},"partitions":[\n${lines}\n]}\n`,
  );
  return { checkpoint: key, states: [] };
}

async function text(store: ObjectStore, key: string): Promise<string> {
  const bytes = await readIfThere(store, key);
  if (bytes === null) throw corrupt(`${store.root}/${key} is missing; the table's state needs it`);
  return bytes.toString('utf8');
}
