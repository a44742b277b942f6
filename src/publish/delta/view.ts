import { TerminalError } from '../../errors';
import type { ObjectStore } from '../../storage';
import { takenBy } from './fence';
import { corrupt, parseTransactions, type Setup } from './actions';
import { checkForeign, ownVersion, setupAfter, tableOf, type ActiveFiles } from './fold-log';
import { COMMITS, NEWEST, stateKey, commitKey, logKey, versionOfCommitKey } from './layout';
import { readLog, type LogEntry, type LogTail } from './log-reader';
import { takeUp, type Others } from './other-commits';
import { readIfThere } from './read';
import { activeFiles, loadState, type LoadedState } from './state';
import { parseRecord, type CommitRecord } from './state-document';

/** What a table of ours is, and where. */
export interface Place {
  readonly store: ObjectStore;
  readonly pipeline: string;
  readonly column: string;
}

/** The curated table as it is now. */
export interface View {
  /** Newest version of the Delta table; -1: none. */
  readonly head: number;
  /** Newest version of Tidegate's; null: none. */
  readonly state: LoadedState | null;
  readonly active: ActiveFiles;
  /** What the table is, its properties and features as others changed them; null: there is none. */
  readonly setup: Setup | null;
  /** Partition values whose rows others changed since the version of Tidegate's, with the newest version of the log that did. */
  readonly changed: ReadonlyMap<string, number>;
  /** Whose commits changed rows of partitions since Tidegate wrote them, be it before its newest version. */
  readonly others: Others;
  /** Attempts whose files vacuums took, or are taking, since the version of Tidegate's. */
  readonly taken: ReadonlySet<string>;
  /** Whether all that follows from the newest commit has been written. */
  readonly settled: boolean;
}

/** A table without commits of ours. */
export const nothing = (head = -1): View => ({
  head,
  state: null,
  active: new Map(),
  setup: null,
  changed: new Map(),
  others: new Map(),
  taken: new Set(),
  settled: true,
});

/**
 * Reads the table (SEMANTICS 7.5). The cost does not grow with the number of commits: opening starts
 * from the newest commit known to have been rolled forward, reads its state, and what came since.
 * @throws TerminalError `TargetError` when the Delta table is not ours, or needs what we do not implement.
 */
export async function openView(place: Place): Promise<View> {
  for (let missed: unknown = null; ;) {
    const view = await look(place, missed);
    if ('state' in view) return view;
    missed = view.missed;
  }
}

/** The table, or the state file that could not be read: retention takes those of replaced versions. Missed once more, it is corrupt. */
async function look(place: Place, missed: unknown): Promise<View | { readonly missed: string }> {
  const { store, pipeline, column } = place;
  const record = await newestRecord(store);
  const tail = record === null ? await readLog(store, 'curated', 0) : await readSince(place, record);
  if (record === null && tail.entries.length === 0) {
    return nothing(tail.head);
  }
  const { key, since } = newestOwn(tail.entries, pipeline, record?.state ?? null);
  if (key === null) throw notOurs(store);
  let state: LoadedState;
  try {
    state = await loadState(store, key);
  } catch (error) {
    if (key === missed || !(error instanceof TerminalError) || error.type !== 'CorruptTable') throw error;
    return { missed: key };
  }
  if (state.document.commit.pipeline !== pipeline) throw notOurs(store);
  const active = activeFiles(state, 'curated');
  const others: Others = new Map(state.others.curated);
  const changed = new Map<string, number>();
  const own = state.document.tables.curated;
  for (const entry of since) {
    checkForeign(entry, { setup: own, column, where: tableOf(store.root, 'curated') });
    for (const value of takeUp({ active, others }, entry, column)) changed.set(value, entry.version);
  }
  const taken = new Set(since.flatMap(({ actions }) => takenBy(actions, pipeline)));
  const setup = setupAfter(own, since);
  return { head: tail.head, state, active, setup, changed, others, taken, settled: record?.state === key };
}

/** What was committed since a version of ours, which must still be where it was committed, or in a checkpoint. */
async function readSince({ store, pipeline }: Place, record: CommitRecord): Promise<LogTail> {
  const { deltaVersion } = record;
  const bytes = await readIfThere(store, logKey('curated', deltaVersion));
  if (bytes === null) {
    const tail = await readLog(store, 'curated', deltaVersion);
    if (tail.head >= deltaVersion) return tail;
    throw corrupt(
      `${store.root}/${logKey('curated', deltaVersion)} is gone, which Tidegate committed: the table was deleted, put back, or replaced by another writer`,
    );
  }
  const own = ownVersion(parseTransactions(bytes.toString('utf8')), pipeline);
  if (own === null || stateKey(own.version, own.token) !== record.state) {
    throw new TerminalError(
      'TargetError',
      `another writer replaced ${tableOf(store.root, 'curated')}: version ${deltaVersion} of its log is not the one that Tidegate committed. Restore the table to before that, or publish to a new path.`,
    );
  }
  return readLog(store, 'curated', deltaVersion + 1);
}

/** The newest state that a log names, and the entries after it, which are others'. */
function newestOwn(
  entries: readonly LogEntry[],
  pipeline: string,
  known: string | null,
): { key: string | null; since: LogEntry[] } {
  let key = known;
  let since: LogEntry[] = [];
  for (const entry of entries) {
    const own = ownVersion(entry.actions, pipeline);
    if (own !== null) key = stateKey(own.version, own.token);
    // A checkpoint comes after the version it names, and holds what others did since, as a whole.
    if (own !== null && !entry.complete) since = [];
    else since.push(entry);
  }
  return { key, since };
}

/** The newest commit known to be rolled forward: by the hint, which may be old or lost, else by the records. */
async function newestRecord(store: ObjectStore): Promise<CommitRecord | null> {
  const hint = await readIfThere(store, NEWEST);
  if (hint !== null) {
    try {
      return parseRecord(hint.toString('utf8'), `${store.root}/${NEWEST}`);
    } catch {
      // A hint that cannot be read is as good as none.
    }
  }
  let newest = 0;
  for await (const { key } of store.list(COMMITS)) newest = Math.max(newest, versionOfCommitKey(key) ?? 0);
  return newest === 0 ? null : readRecord(store, newest);
}

export async function readRecord(store: ObjectStore, version: number): Promise<CommitRecord | null> {
  const key = commitKey(version);
  const bytes = await readIfThere(store, key);
  return bytes === null ? null : parseRecord(bytes.toString('utf8'), `${store.root}/${key}`);
}

const notOurs = (store: ObjectStore): TerminalError =>
  new TerminalError(
    'TargetError',
    `${store.root}/curated is a Delta table that Tidegate did not make: its log names no version of this pipeline. Publish to a new path.`,
  );
