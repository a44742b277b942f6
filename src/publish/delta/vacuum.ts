import { forEachInFlight } from '../in-flight';
import type { Keep } from '../directory/retention';
import type { ObjectInfo, ObjectStore } from '../../storage';
import type { OutputKind, VacuumReport } from '../table';
import { corrupt } from './actions';
import { DATA_FILE } from '../documents';
import { KINDS, LOG, REPORTS, STATES } from './layout';
import { fromLogPath } from './paths';
import { oldestKept, writeOldestKept } from './retained';
import { activeFiles, loadState, readDocument, type LoadedState } from './state';
import type { FileRef, StateDocument } from './state-document';
import { readRecord, type Place, type View } from './view';

const MS_PER_HOUR = 3_600_000;
const MS_PER_DAY = 86_400_000;

export interface VacuumOptions {
  readonly dryRun: boolean;
  readonly olderThanHours: number;
  readonly keep: Keep;
  readonly now: Date;
}

/**
 * Removes data files that no retained version refers to and that are older than `olderThanHours` (those of
 * a run under way are younger), and run folders and state files that nothing needs any more. Only files of
 * the one form that Tidegate writes: what other writers left is theirs to vacuum.
 */
export async function vacuum(place: Place, view: View, options: VacuumOptions): Promise<VacuumReport> {
  const { store } = place;
  const { dryRun, keep, now, olderThanHours } = options;
  const newest = view.state?.document.commit.version ?? 0;
  const before = await oldestKept(store);
  const oldest = Math.max(before, await oldestRetained(store, newest, keep, now));
  const referenced = await referencedFrom(store, view, oldest);
  const limit = now.getTime() - olderThanHours * MS_PER_HOUR;
  const runs = now.getTime() - Math.max(olderThanHours * MS_PER_HOUR, keep.days * MS_PER_DAY);

  const items: { path: string; bytes: number; why: string }[] = [];
  const look = (info: ObjectInfo, until: number, why: string): void => {
    const changed = changedAt(info);
    // Where a store tells no time, nothing is old.
    if (changed !== null && changed < until) items.push({ path: info.key, bytes: info.size, why });
  };
  for (const kind of KINDS) {
    for await (const info of store.list(kind)) {
      if (!DATA_FILE.test(info.key) || referenced.files.has(info.key) || info.key.startsWith(`${kind}/${LOG}/`))
        continue;
      look(info, limit, `no retained version refers to it, and it is untouched for ${olderThanHours} hours`);
    }
  }
  for await (const info of store.list('_staging'))
    look(info, limit, `staged and untouched for ${olderThanHours} hours`);
  for await (const info of store.list('_runs')) look(info, runs, 'plans and results of a run that ended long ago');
  for await (const info of store.list(STATES)) {
    if (!referenced.states.has(info.key))
      look(info, limit, 'the state of a version that is no longer retained, or of no version');
  }

  for (const info of await strayReports(store, newest)) look(info, limit, 'the report of a commit that was never made');

  if (!dryRun) {
    if (oldest > before) await writeOldestKept(store, oldest);
    await forEachInFlight(items, ({ path }) => store.delete(path));
  }
  const versions = Array.from({ length: oldest - before }, (_, index) => before + index);
  const removed = items.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return { dryRun, versions, removed, bytes: removed.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** Versions are kept while they are among the newest `versions`, and for `days` after they were replaced. */
async function oldestRetained(store: ObjectStore, newest: number, keep: Keep, now: Date): Promise<number> {
  let oldest = Math.max(1, newest - Math.max(1, keep.versions) + 1);
  while (oldest > 1) {
    const replacedBy = await readRecord(store, oldest);
    if (replacedBy === null) break;
    if (now.getTime() - Date.parse(replacedBy.commit.committedAt) >= keep.days * MS_PER_DAY) break;
    oldest -= 1;
  }
  return oldest;
}

interface Referenced {
  /** Data files, relative to the root. */
  readonly files: ReadonlySet<string>;
  /** State files that the versions are read from. */
  readonly states: ReadonlySet<string>;
}

/** Everything that versions from `oldest` on refer to: all of the oldest, and what each one after it brought. */
async function referencedFrom(store: ObjectStore, view: View, oldest: number): Promise<Referenced> {
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
    for (const partition of document.partitions) {
      for (const { path } of [...partition.curated, ...partition.quarantine]) files.add(path);
    }
    for (const kind of KINDS)
      refer(
        kind,
        Object.values(document.foreign[kind]).flatMap((refs) => refs ?? []),
      );
  };
  const addState = (state: LoadedState): void => {
    addDocument(state.key, state.document);
    for (const kind of KINDS) refer(kind, [...activeFiles(state, kind).values()].flat());
  };
  const newest = view.state.document.commit.version;
  addState(view.state);
  refer('curated', [...view.active.values()].flat());
  if (oldest < newest) {
    const record = await readRecord(store, oldest);
    if (record === null) throw corrupt(`the record of version ${oldest} in ${store.root} is missing`);
    addState(await loadState(store, record.state));
  }
  const between = Array.from({ length: Math.max(0, newest - oldest - 1) }, (_, index) => oldest + 1 + index);
  await forEachInFlight(between, async (version) => {
    const record = await readRecord(store, version);
    if (record === null) throw corrupt(`the record of version ${version} in ${store.root} is missing`);
    addDocument(record.state, await readDocument(store, record.state));
  });
  return { files, states };
}

/** Reports are kept for ever, but for those of attempts that failed: their versions have another. */
async function strayReports(store: ObjectStore, newest: number): Promise<ObjectInfo[]> {
  const byVersion = new Map<number, ObjectInfo[]>();
  for await (const info of store.list(REPORTS)) {
    const version = Number(/\/(\d+)-[0-9a-f]+\.json$/.exec(info.key)?.[1] ?? 0);
    byVersion.set(version, [...(byVersion.get(version) ?? []), info]);
  }
  const stray: ObjectInfo[] = [];
  for (const [version, reports] of byVersion) {
    if (version > newest) stray.push(...reports);
    if (version > newest || reports.length === 1) continue;
    const record = await readRecord(store, version);
    stray.push(...reports.filter(({ key }) => record !== null && record.report !== key));
  }
  return stray;
}

function changedAt(info: ObjectInfo): number | null {
  if (info.mtimeNs !== undefined) return Number(BigInt(info.mtimeNs) / 1_000_000n);
  return info.modifiedAt === undefined ? null : Date.parse(info.modifiedAt);
}
