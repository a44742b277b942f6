import type { ObjectInfo, ObjectStore } from '../../storage';
import { removeTree } from '../directory/remove-tree';
import { forEachInFlight } from '../in-flight';
import { cutoffsOf, type Cutoffs, type Keep, type VacuumOptions, WHY } from '../run-life';
import { OLD_INDEX, oldIndexes } from '../old-indexes';
import type { VacuumReport } from '../table';
import { openSettled } from './commit';
import { putFence, writerOf } from './fence';
import { INDEXES, versionOfStateKey } from './layout';
import { changedAt, listingOf, listTable, type Listing } from './listing';
import { expiredBetween, referencedFrom } from './referenced';
import { oldestKept, raiseOldestKept } from './retained';
import { readRecord, type Place, type View } from './view';

/** Rounds in which others committed meanwhile. */
const MOST_ROUNDS = 20;
const MS_PER_DAY = 86_400_000;

/** What goes as one: a file, or the folder of a run. */
interface Item {
  readonly path: string;
  readonly files: readonly ObjectInfo[];
  readonly why: string;
}

/** What vacuum found to take, at one view of the table. */
interface Finding {
  readonly before: number;
  readonly oldest: number;
  /** What a commit could yet name: data files; then state files and reports. */
  readonly contents: readonly Item[];
  readonly states: readonly Item[];
  /** The attempts that wrote data files which no version ever named. */
  readonly taken: readonly string[];
  /** Folders of runs, and remains. */
  readonly rest: readonly Item[];
}

export interface DeltaVacuumOptions extends VacuumOptions {
  /** Whether to list the table, for what runs left; else only the data of versions that expire now goes. Default: true. */
  readonly sweep?: boolean;
}

/**
 * Removes the data of versions that are no longer retained, and what runs left that show no sign of life
 * and no commit names. Only files of the one form that Tidegate writes: what other writers left is
 * theirs to vacuum. No commit can come to name what is deleted: see fence.ts.
 */
export async function vacuum(place: Place, opened: View, options: DeltaVacuumOptions): Promise<VacuumReport> {
  const { store, pipeline } = place;
  const { dryRun, now } = options;
  const listing = options.sweep === false ? null : await listTable(store);
  // Of the first look: what goes is still to be found when the mark below was raised and somebody else committed.
  let before = await oldestKept(store);
  for (let [round, view] = [1, opened]; ; round += 1, view = await openSettled(place)) {
    const found = await findAt(place, { view, before, listed: listing }, options);
    if (found === null) {
      before = await oldestKept(store);
      continue;
    }
    const { oldest, contents, states, rest, taken } = found;
    if (dryRun) return reportOf(found, dryRun);
    if (oldest > before) await raiseOldestKept(store, oldest);
    const fenced =
      contents.length + states.length === 0 || (await putFence(store, { pipeline, head: view.head, taken, now }));
    if (fenced) {
      // State files last: they tell whoever goes on after a crash which data files are old.
      for (const items of [contents, states, rest]) await forEachInFlight(items, (item) => remove(store, item));
      return reportOf(found, dryRun);
    }
    if (round === MOST_ROUNDS) throw new Error(`others committed to ${store.root} all the while; run vacuum again`);
  }
}

/** Null when the versions that the view tells of were taken meanwhile, by another vacuum, after other commits. */
async function findAt(
  place: Place,
  { view, before, listed }: { readonly view: View; readonly before: number; readonly listed: Listing | null },
  options: VacuumOptions,
): Promise<Finding | null> {
  const { store } = place;
  const cutoffs = cutoffsOf(options);
  const rest = listed === null ? [] : [...runItems(listed, cutoffs), ...indexItems(listed, view, cutoffs.documents)];
  // Without a version there is no log to put an entry to: what a first run left goes after the first commit.
  if (view.state === null) return { before, oldest: before, contents: [], states: [], rest, taken: [] };
  const newest = view.state.document.commit.version;
  const oldest = Math.max(before, await oldestRetained(store, newest, options.keep, options.now));
  const read = Promise.all([referencedFrom(place, view, oldest), expiredBetween(store, before, oldest)]);
  const known = await read.catch(async (error: unknown) => {
    if ((await oldestKept(store)) === before) throw error;
    return null;
  });
  if (known === null) return null;
  const [kept, expired] = known;
  const listing = listed ?? listingOf(expired);

  const quiet = `${WHY.staged(cutoffs.hours)}, and part of no version`;
  const old = `of versions before ${oldest} only, which publish.keep no longer holds`;
  const isOld = (info: ObjectInfo): boolean => changedAt(info) < cutoffs.unfinished;
  const unnamed = listing.data.filter(({ key }) => !kept.files.has(key));
  const orphans = unnamed.filter(
    ({ key }) => !expired.files.has(key) && listing.lives.isQuiet(writerOf(key).run, cutoffs.unfinished),
  );
  const contents = [
    ...unnamed.filter(({ key }) => expired.files.has(key)).map((info) => itemOf(info, old)),
    ...orphans.map((info) => itemOf(info, quiet)),
  ];
  const states = listing.states
    .filter(({ key }) => !kept.states.has(key))
    .flatMap((info): Item[] => {
      // A checkpoint is of a version that was the newest, and only the newest one's can yet be referred to.
      if (expired.states.has(info.key) || versionOfStateKey(info.key) === null) return [itemOf(info, old)];
      return isOld(info) ? [itemOf(info, 'the state of a commit that was never made')] : [];
    });
  const reports = (await strayReports(store, listing.reports, newest)).filter(isOld);
  states.push(...reports.map((info) => itemOf(info, 'the report of a commit that was never made')));
  const taken = [...new Set(orphans.map(({ key }) => writerOf(key).attempt))].toSorted();
  return { before, oldest, contents, states, rest, taken };
}

function indexItems({ indexes }: Listing, { state }: View, before: number): Item[] {
  const found = indexes.map((info) => ({ info, path: info.key.slice(INDEXES.length + 1), changedAt: changedAt(info) }));
  if (state === null) return [];
  return oldIndexes(found, state.partitions.values(), before).map(({ info }) => itemOf(info, OLD_INDEX));
}

const itemOf = (info: ObjectInfo, why: string): Item => ({ path: info.key, files: [info], why });

function runItems({ staging, documents, temporary, lives }: Listing, { hours, ...until }: Cutoffs): Item[] {
  const of = (folder: string, runs: ReadonlyMap<string, readonly ObjectInfo[]>, before: number, why: string): Item[] =>
    [...runs]
      .filter(([run]) => lives.isQuiet(run, before))
      .map(([run, files]) => ({ path: `${folder}/${run}`, files, why }));
  return [
    ...of('_staging', staging, until.unfinished, WHY.staged(hours)),
    ...of('_runs', documents, until.documents, WHY.documents),
    ...temporary.filter((info) => changedAt(info) < until.unfinished).map((info) => itemOf(info, WHY.interrupted)),
  ];
}

async function remove(store: ObjectStore, { path, files }: Item): Promise<void> {
  await forEachInFlight(files, ({ key }) => store.delete(key));
  // A disk has folders too.
  if (store.kind === 'local' && files[0]?.key !== path) await removeTree(store.urlOf(path));
}

function reportOf({ before, oldest, contents, states, rest }: Finding, dryRun: boolean): VacuumReport {
  const removed = [...contents, ...states, ...rest]
    .map(({ path, files, why }) => ({ path, why, bytes: files.reduce((sum, { size }) => sum + size, 0) }))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return {
    dryRun,
    versions: Array.from({ length: oldest - before }, (_, index) => before + index),
    removed,
    bytes: removed.reduce((sum, { bytes }) => sum + bytes, 0),
  };
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

/** Reports are kept for ever, but for those of attempts that failed: their versions have another. */
async function strayReports(store: ObjectStore, reports: readonly ObjectInfo[], newest: number): Promise<ObjectInfo[]> {
  const byVersion = new Map<number, ObjectInfo[]>();
  for (const info of reports) {
    const version = Number(/\/(\d+)-[0-9a-f]+\.json$/.exec(info.key)?.[1] ?? 0);
    byVersion.set(version, [...(byVersion.get(version) ?? []), info]);
  }
  const stray: ObjectInfo[] = [];
  for (const [version, some] of byVersion) {
    if (version > newest) stray.push(...some);
    if (version > newest || some.length === 1) continue;
    const record = await readRecord(store, version);
    stray.push(...some.filter(({ key }) => record !== null && record.report !== key));
  }
  return stray;
}
