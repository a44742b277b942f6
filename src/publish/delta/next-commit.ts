import { forEachInFlight } from '../in-flight';
import type { Contract } from '../../contract/contract';
import type { PartitionDate } from '../../discovery/partition-date';
import type { ObjectStore } from '../../storage';
import type { Commit, OutputKind, PartitionState } from '../table';
import type { Setup, Written } from './actions';
import { stateApp, versionApp, type ActiveFiles } from './fold-log';
import { reportKey, stateKey } from './layout';
import type { Others } from './other-commits';
import { toLogPath } from './paths';
import { removeAction } from './roll-forward';
import { columnsOf } from './schema';
import { setupActions, setupFor } from './setup';
import { foreignOf, othersOf, ownFiles, type LoadedState } from './state';
import type { FileRef, OthersChange, StateDocument } from './state-document';
import { statsOf } from './stats';

/** What a version changes, whoever asks for it: a run or a rollback. */
export interface Change {
  readonly contract: Contract;
  /** The columns of the two tables from here on: the contract's, or, of a rollback, those of the version restored. */
  readonly schemas: Readonly<Record<OutputKind, string>>;
  readonly commit: Commit;
  /** New outcomes; each replaces its partition whole. */
  readonly partitions: readonly PartitionState[];
  readonly dropped: readonly PartitionDate[];
}

/** The tables that the change is made to. */
export interface Base {
  readonly head: number;
  readonly state: LoadedState | null;
  readonly active: ActiveFiles;
  readonly others: Others;
  /** What the curated table is; null: there is none. */
  readonly setup: Setup | null;
  readonly quarantine: {
    readonly active: ActiveFiles;
    readonly others: Others;
    readonly seen: number;
    readonly setup: Setup | null;
  };
}

export type Adds = Readonly<Record<OutputKind, readonly Written[]>>;

/** The `add` actions of a change, with statistics from the files as they are (PROTOCOL.md, "Add File and Remove File"). */
export async function addsOf(
  store: ObjectStore,
  { contract, schemas, partitions, commit }: Change,
  signal?: AbortSignal,
  onFile: () => void = () => {},
): Promise<Adds> {
  const adds: Record<OutputKind, Written[]> = { curated: [], quarantine: [] };
  const files = partitions.flatMap((partition) =>
    (['curated', 'quarantine'] as const).flatMap((kind) =>
      partition[kind].map((file) => ({ kind, file, date: partition.date })),
    ),
  );
  const column = contract.source.partitionColumn;
  const columns = columnsOf(schemas.curated).filter(({ name }) => name !== column);
  await forEachInFlight(
    files.entries(),
    async ([index, { kind, file, date }]) => {
      const stats = await statsOf(store, file, columns);
      adds[kind][index] = {
        add: {
          path: toLogPath(kind, file.path),
          partitionValues: { [column]: date },
          size: file.size,
          modificationTime: Date.parse(commit.committedAt),
          dataChange: true,
          stats,
        },
      };
      onFile();
    },
    signal,
  );
  // Indexes are of all files: the holes go.
  return { curated: adds.curated.filter(Boolean), quarantine: adds.quarantine.filter(Boolean) };
}

/** The partitions that a change replaces or takes out, in order. */
export const datesOf = ({ partitions, dropped }: Pick<Change, 'partitions' | 'dropped'>): PartitionDate[] =>
  [...new Set([...partitions.map(({ date }) => date), ...dropped])].toSorted();

/** One attempt to commit: the state, and the actions of the curated table's commit, for one version of its log. */
export function nextCommit(
  change: Change,
  adds: Adds,
  base: Base,
  since: StateDocument['since'],
  token: number,
): { document: StateDocument; actions: Written[] } {
  const { contract, commit } = change;
  const column = contract.source.partitionColumn;
  const values = datesOf(change);
  const now = Date.parse(commit.committedAt);

  const held = { curated: base.setup, quarantine: base.quarantine.setup };
  const tables = {
    curated: setupFor(change, 'curated', held.curated),
    quarantine: setupFor(change, 'quarantine', held.quarantine),
  };
  const actionsOf = (kind: OutputKind, active: ActiveFiles): Written[] => {
    const added = new Set(adds[kind].map(({ add }) => (add as { path: string }).path));
    const removes = values.flatMap((value) =>
      (active.get(value) ?? [])
        .filter(({ path }) => !added.has(path))
        .map((file) => removeAction(file, { [column]: value }, now)),
    );
    return [...setupActions(held[kind], tables[kind]), ...removes, ...adds[kind]];
  };
  const txns: Written[] = [
    { txn: { appId: versionApp(commit.pipeline), version: commit.version, lastUpdated: now } },
    { txn: { appId: stateApp(commit.pipeline), version: token, lastUpdated: now } },
  ];
  const info = commitInfo(commit, column, now, stateKey(commit.version, token));

  const document: StateDocument = {
    formatVersion: 1,
    commit,
    token,
    deltaVersion: base.head + 1,
    since,
    partitions: change.partitions,
    dropped: change.dropped,
    foreign: {
      curated: foreignAfter(change, base.active, base.state, 'curated'),
      quarantine: foreignAfter(change, base.quarantine.active, base.state, 'quarantine'),
    },
    others: {
      curated: othersAfter(change, base.others, base.state, 'curated'),
      quarantine: othersAfter(change, base.quarantine.others, base.state, 'quarantine'),
    },
    report: reportKey(commit.version, token),
    tables,
    quarantine: {
      seen: base.quarantine.seen,
      actions: [info, ...actionsOf('quarantine', base.quarantine.active), ...txns],
      values,
    },
  };
  return { document, actions: [info, ...actionsOf('curated', base.active), ...txns] };
}

/**
 * PROTOCOL.md, "Commit Provenance Information": any JSON may be stored. For people and audits: nothing of
 * it is read back, since checkpoints by others lose it.
 *
 * @param state Key of the state document.
 */
function commitInfo(commit: Commit, column: string, timestamp: number, state: string): Written {
  const { version, requestId, run, scope, planDigest, watermark, pipeline } = commit;
  return {
    commitInfo: {
      timestamp,
      operation: scope.kind === 'rollback' ? 'RESTORE' : 'WRITE',
      operationParameters:
        scope.kind === 'rollback'
          ? { version: String(scope.to) }
          : { mode: 'Overwrite', partitionBy: JSON.stringify([column]) },
      isBlindAppend: false,
      engineInfo: 'tidegate',
      tidegate: { pipeline, version, requestId, run, kind: scope.kind, planDigest, watermark, state },
    },
  };
}

/** Where the tables will hold other files than ours after the change, which makes its own partitions ours again. */
function foreignAfter(
  change: Change,
  active: ActiveFiles,
  state: LoadedState | null,
  kind: OutputKind,
): StateDocument['foreign'][OutputKind] {
  const partitions = new Map(state?.partitions ?? []);
  const after = new Map<string, readonly FileRef[]>(active);
  for (const date of change.dropped) {
    partitions.delete(date);
    after.delete(date);
  }
  for (const partition of change.partitions) {
    partitions.set(partition.date, partition);
    after.set(partition.date, ownFiles(partition, kind));
  }
  return foreignOf(after, partitions, state?.foreign[kind] ?? new Map(), kind);
}

/** Whose commits changed rows since Tidegate wrote them, which the change does to its own partitions. */
function othersAfter(change: Change, others: Others, state: LoadedState | null, kind: OutputKind): OthersChange {
  const after = new Map(others);
  for (const date of datesOf(change)) after.delete(date);
  return othersOf(after, state?.others[kind] ?? new Map());
}
