import { forEachInFlight } from '../directory/in-flight';
import type { Keep } from '../directory/retention';
import type { ObjectInfo, ObjectStore } from '../../storage';
import type { VacuumReport } from '../table';
import { DATA_FILE, KINDS, LOG, REPORTS, STATES } from './layout';
import { fromLogPath } from './paths';
import { oldestKept, writeOldestKept } from './retained';
import { activeFiles, loadState, type LoadedState } from './state';
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
      if (!DATA_FILE.test(info.key) || referenced.has(info.key) || info.key.startsWith(`${kind}/${LOG}/`)) continue;
      look(info, limit, `no retained version refers to it, and it is untouched for ${olderThanHours} hours`);
    }
  }
  for await (const info of store.list('_staging'))
    look(info, limit, `staged and untouched for ${olderThanHours} hours`);
  for await (const info of store.list('_runs')) look(info, runs, 'plans and results of a run that ended long ago');
  const states = view.state === null ? new Set<string>() : await statesFrom(store, view.state, oldest);
  for await (const info of store.list(STATES)) {
    if (!states.has(info.key)) look(info, limit, 'the state of a version that is no longer retained, or of no version');
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

/** Every file, relative to the root, that a version from `oldest` on refers to. */
async function referencedFrom(store: ObjectStore, view: View, oldest: number): Promise<Set<string>> {
  const referenced = new Set<string>();
  const newest = view.state?.document.commit.version ?? 0;
  const add = (state: LoadedState): void => {
    for (const partition of state.partitions.values()) {
      for (const { path } of [...partition.curated, ...partition.quarantine]) referenced.add(path);
    }
    for (const kind of KINDS) {
      for (const { path } of [...activeFiles(state, kind).values()].flat()) {
        const key = fromLogPath(kind, path);
        if (key !== null) referenced.add(key);
      }
    }
  };
  if (view.state !== null) add(view.state);
  for (const { path } of [...view.active.values()].flat()) referenced.add(fromLogPath('curated', path) ?? '');
  for (let version = Math.max(1, oldest); version < newest; version += 1) {
    const record = await readRecord(store, version);
    if (record !== null) add(await loadState(store, record.state));
  }
  return referenced;
}

/** The state files that versions from `oldest` on are read from. */
async function statesFrom(store: ObjectStore, newest: LoadedState, oldest: number): Promise<Set<string>> {
  const needed = new Set<string>();
  const keepOf = (state: LoadedState): void => {
    const { checkpoint, states } = state.document.since;
    for (const key of [state.key, ...states, ...(checkpoint === null ? [] : [checkpoint])]) needed.add(key);
  };
  keepOf(newest);
  for (let version = oldest; version < newest.document.commit.version; version += 1) {
    const record = await readRecord(store, version);
    if (record !== null) keepOf(await loadState(store, record.state));
  }
  return needed;
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

function changedAt(info: ObjectInfo & { readonly modifiedAt?: string }): number | null {
  if (info.mtimeNs !== undefined) return Number(BigInt(info.mtimeNs) / 1_000_000n);
  return info.modifiedAt === undefined ? null : Date.parse(info.modifiedAt);
}
