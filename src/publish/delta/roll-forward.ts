import { failpoint } from '../../failpoints';
import { encodeActions, parseAction, type Setup, type Written } from './actions';
import { applyForeign, checkForeign, ownVersion, setupAfter, tableOf } from './fold-log';
import { commitKey, logKey, NEWEST, requestKey } from './layout';
import { readLog, type LogEntry } from './log-reader';
import { mergeProtocols } from './protocol';
import { metaDataAction } from './setup';
import { activeFiles, type LoadedState } from './state';
import type { CommitRecord, FileRef } from './state-document';
import { readRecord, type Place } from './view';

/**
 * Does what follows from a commit and may not have been done when its publisher died: the quarantine's
 * commit, the commit's record, the entry of its request id. Whoever opens the table does it, in this
 * order, before anything new is committed. Idempotent.
 */
export async function rollForward(place: Place, state: LoadedState): Promise<CommitRecord> {
  const { store } = place;
  const { document } = state;
  const { commit } = document;
  const known = await readRecord(store, commit.version);
  const record: CommitRecord = known ?? {
    commit,
    state: state.key,
    report: document.report,
    deltaVersion: document.deltaVersion,
    quarantineVersion: await rollQuarantine(place, state),
  };
  const text = `${JSON.stringify(record, null, 2)}\n`;
  if (known === null) await store.putIfAbsent(commitKey(commit.version), text);
  await failpoint('publish.indexed');
  await store.putIfAbsent(requestKey(commit.requestId), text);
  await store.write(NEWEST, text);
  return record;
}

/** Brings the quarantine's log to the version, and returns where it stands there. */
async function rollQuarantine(place: Place, state: LoadedState): Promise<number | null> {
  const { store, pipeline, column } = place;
  const { commit, quarantine, tables } = state.document;
  const where = tableOf(store.root, 'quarantine');
  for (;;) {
    const tail = await readLog(store, 'quarantine', quarantine.seen + 1);
    const done = tail.entries.find(({ actions }) => (ownVersion(actions, pipeline)?.version ?? 0) >= commit.version);
    if (done !== undefined) return done.complete ? null : done.version;
    const setup = setupBefore(tables.quarantine, quarantine.actions, tail.entries);
    for (const entry of tail.entries) checkForeign(entry, { setup, column, where });
    const actions = [
      ...keepingSetup(quarantine.actions, tail.entries),
      ...removesOfForeign(state, tail.entries, column),
    ];
    const version = tail.head + 1;
    if (
      await store.putIfAbsent(
        logKey('quarantine', version),
        encodeActions(withoutGone(actions, state, tail.entries, column)),
      )
    )
      return version;
  }
}

/** What the table is before the commit, as far as others may not change it: its columns are theirs where the commit replaces them. */
function setupBefore(after: Setup, actions: readonly Written[], entries: readonly LogEntry[]): Setup {
  if (!actions.some(({ metaData }) => metaData !== undefined)) return after;
  const { schemaString } = setupAfter(after, entries).metaData;
  return { ...after, metaData: { ...after.metaData, schemaString } };
}

/** The commit's actions, with the properties and features that others gave the table since they were written down. */
function keepingSetup(actions: readonly Written[], entries: readonly LogEntry[]): Written[] {
  return actions.map((action) => {
    const parsed = parseAction(action, 'the actions of the quarantine');
    if (parsed.protocol === undefined && parsed.metaData === undefined) return action;
    const others = entries.flatMap((entry) => entry.actions);
    const protocol = others.findLast((other) => other.protocol !== undefined)?.protocol;
    const metaData = others.findLast((other) => other.metaData !== undefined)?.metaData;
    if (parsed.protocol !== undefined) {
      return protocol === undefined ? action : { protocol: mergeProtocols(protocol, parsed.protocol) };
    }
    const { schemaString, partitionColumns } = parsed.metaData!;
    return metaData === undefined ? action : metaDataAction({ ...metaData, schemaString, partitionColumns });
  });
}

/** Files that others put into the partitions concerned since the state was written: compacted ones, mostly. */
function removesOfForeign(state: LoadedState, entries: readonly LogEntry[], column: string): Written[] {
  if (entries.length === 0) return [];
  const { values, actions } = state.document.quarantine;
  const named = new Set(actions.flatMap(({ add, remove }) => pathsOf(add, remove)));
  return values.flatMap((value) =>
    (nowActive(state, entries, column).get(value) ?? [])
      .filter(({ path }) => !named.has(path))
      .map((file) => removeAction(file, { [column]: value === '' ? null : value }, Date.now())),
  );
}

/** Removing what others have removed already would be harmless, and confuse whoever reads the log. */
function withoutGone(actions: Written[], state: LoadedState, entries: readonly LogEntry[], column: string): Written[] {
  if (entries.length === 0) return actions;
  const there = new Set([...nowActive(state, entries, column).values()].flat().map(({ path }) => path));
  return actions.filter(({ remove }) => remove === undefined || pathsOf(undefined, remove).some((p) => there.has(p)));
}

function nowActive(state: LoadedState, entries: readonly LogEntry[], column: string): Map<string, FileRef[]> {
  const active = activeFiles(state, 'quarantine');
  // Before this commit the partitions concerned held what its actions remove.
  for (const value of state.document.quarantine.values) active.delete(value);
  for (const { remove } of state.document.quarantine.actions) {
    const { path, size, partitionValues } = (remove ?? {}) as {
      path?: string;
      size?: number;
      partitionValues?: Record<string, string | null>;
    };
    if (path === undefined) continue;
    const value = partitionValues?.[column] ?? '';
    active.set(value, [...(active.get(value) ?? []), { path, size: size ?? 0 }]);
  }
  for (const entry of entries) applyForeign(active, entry, column);
  return active;
}

const pathsOf = (...actions: readonly unknown[]): string[] =>
  actions.flatMap((action) => {
    const path = (action as { path?: unknown } | undefined)?.path;
    return typeof path === 'string' ? [path] : [];
  });

/** PROTOCOL.md, "Add File and Remove File". */
export function removeAction(
  file: FileRef,
  partitionValues: Readonly<Record<string, string | null>>,
  deletionTimestamp: number,
): Written {
  return {
    remove: {
      path: file.path,
      deletionTimestamp,
      dataChange: true,
      extendedFileMetadata: true,
      partitionValues,
      size: file.size,
    },
  };
}
