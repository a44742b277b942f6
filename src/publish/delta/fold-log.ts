import type { OutputKind } from '../table';
import type { Action, Add, Setup } from './actions';
import type { LogEntry } from './log-reader';
import { partitionValue } from './paths';
import { checkMetaData, checkProtocol } from './protocol';
import type { FileRef } from './state-document';

/** What tells a commit of ours: two `txn` actions (PROTOCOL.md, "Transaction Identifiers"). */
export const versionApp = (pipeline: string): string => `tidegate/${pipeline}`;
/** Its version is the token of the state file, so that a checkpoint by others, which keeps no commitInfo, still names it. */
export const stateApp = (pipeline: string): string => `tidegate/${pipeline}/state`;

/** The Tidegate version that an entry is, or that a checkpoint comes after; null when there is none. */
export function ownVersion(actions: readonly Action[], pipeline: string): { version: number; token: number } | null {
  const of = (appId: string): number | undefined => actions.find(({ txn }) => txn?.appId === appId)?.txn?.version;
  const [version, token] = [of(versionApp(pipeline)), of(stateApp(pipeline))];
  return version === undefined || token === undefined ? null : { version, token };
}

/** Active files by partition value. */
export type ActiveFiles = Map<string, FileRef[]>;

export function sameFiles(a: readonly FileRef[], b: readonly FileRef[]): boolean {
  const names = (files: readonly FileRef[]): string => JSON.stringify(files.map(({ path }) => path).toSorted());
  return names(a) === names(b);
}

/**
 * Applies what another writer committed (PROTOCOL.md, "Action Reconciliation"), and returns the
 * partition values whose rows it changed: with `dataChange: false` files are only rearranged.
 */
export function applyForeign(active: ActiveFiles, { actions, complete }: LogEntry, column: string): Set<string> {
  const changed = new Set<string>();
  if (complete) active.clear();
  const valueOf = new Map<string, string>();
  for (const [value, files] of active) for (const { path } of files) valueOf.set(path, value);
  const drop = (path: string): string | undefined => {
    const value = valueOf.get(path);
    if (value === undefined) return undefined;
    const rest = (active.get(value) ?? []).filter((file) => file.path !== path);
    if (rest.length === 0) active.delete(value);
    else active.set(value, rest);
    return value;
  };
  for (const { remove } of actions) {
    const value = remove === undefined ? undefined : drop(remove.path);
    if (value !== undefined && remove?.dataChange !== false) changed.add(value);
  }
  for (const { add } of actions) {
    if (add === undefined) continue;
    const value = partitionValue(add.partitionValues, column);
    drop(add.path);
    active.set(value, [...(active.get(value) ?? []), refOf(add)]);
    if (add.dataChange !== false && !complete) changed.add(value);
  }
  return changed;
}

/** PROTOCOL.md, "Per-file Statistics": they may be missing, and so may the number of records in them. */
function refOf({ path, size, stats }: Add): FileRef {
  try {
    const { numRecords } = JSON.parse(stats ?? '{}') as { numRecords?: unknown };
    if (Number.isSafeInteger(numRecords) && Number(numRecords) >= 0) return { path, size, rows: Number(numRecords) };
  } catch {
    // Statistics that cannot be read are as good as none.
  }
  return { path, size };
}

/** Refuses what another writer did to the table as a whole. */
export function checkForeign(
  { actions }: LogEntry,
  expected: { readonly setup: Setup; readonly column: string; readonly where: string },
): void {
  for (const { protocol, metaData } of actions) {
    if (protocol !== undefined) checkProtocol(protocol, expected.where);
    if (metaData !== undefined) checkMetaData(metaData, expected.setup.metaData, expected.column, expected.where);
  }
}

/** What a table is after entries of its log: the newest of each action counts (PROTOCOL.md, "Action Reconciliation"). */
export function setupAfter(setup: Setup, entries: readonly LogEntry[]): Setup {
  const actions = entries.flatMap((entry) => entry.actions);
  return {
    protocol: actions.findLast(({ protocol }) => protocol !== undefined)?.protocol ?? setup.protocol,
    metaData: actions.findLast(({ metaData }) => metaData !== undefined)?.metaData ?? setup.metaData,
  };
}

export const tableOf = (root: string, kind: OutputKind): string => `the Delta table ${root}/${kind}`;
