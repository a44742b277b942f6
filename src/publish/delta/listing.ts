import type { ObjectInfo, ObjectStore } from '../../storage';
import { DATA_FILE, VERDICTS_FILE } from '../documents';
import { RunLives } from '../run-life';
import { writerOf } from './fence';
import { BOOKS, INDEXES, KINDS, REPORTS, STATES } from './layout';
import type { Expired } from './referenced';

/** What stands in a table's root that vacuum may take, by what it is. */
export interface Listing {
  /** Data files, and files of verdicts, of the form that Tidegate gives them. */
  readonly data: readonly ObjectInfo[];
  readonly states: readonly ObjectInfo[];
  readonly reports: readonly ObjectInfo[];
  /** Key indexes. */
  readonly indexes: readonly ObjectInfo[];
  /** Files whose writing was interrupted, on local disks. */
  readonly temporary: readonly ObjectInfo[];
  /** By run: what it staged, and its documents. */
  readonly staging: ReadonlyMap<string, readonly ObjectInfo[]>;
  readonly documents: ReadonlyMap<string, readonly ObjectInfo[]>;
  readonly lives: RunLives;
}

const STAGING = '_staging';
const RUNS = '_runs';
/** Also what a store was tried out with by a process that died meanwhile. */
const TEMPORARY = /(?:^|\/)\.tmp-[0-9a-f-]+$|^_tidegate\/probe-[0-9a-f-]+$/;

/** Lists the table. Runs come last, so that none is found without the sign of life that it gave before its data. */
export async function listTable(store: ObjectStore): Promise<Listing> {
  const lives = new RunLives();
  const temporary: ObjectInfo[] = [];
  const data: ObjectInfo[] = [];
  const books: ObjectInfo[] = [];
  const each = async (prefix: string, take: (info: ObjectInfo) => void): Promise<void> => {
    for await (const info of store.list(prefix)) {
      if (TEMPORARY.test(info.key)) temporary.push(info);
      else take(info);
    }
  };
  const see = (info: ObjectInfo): void => {
    lives.see(writerOf(info.key).run, changedAt(info));
    data.push(info);
  };
  for (const kind of KINDS) {
    await each(kind, (info) => {
      if (DATA_FILE.test(info.key)) see(info);
    });
  }
  await each(BOOKS, (info) => {
    if (VERDICTS_FILE.test(info.key)) see(info);
    else books.push(info);
  });
  const byRun = async (folder: string): Promise<Map<string, ObjectInfo[]>> => {
    const runs = new Map<string, ObjectInfo[]>();
    await each(folder, (info) => {
      const run = info.key.slice(folder.length + 1).split('/')[0]!;
      lives.see(run, changedAt(info));
      runs.set(run, [...(runs.get(run) ?? []), info]);
    });
    return runs;
  };
  return {
    data,
    states: books.filter(({ key }) => key.startsWith(`${STATES}/`)),
    indexes: books.filter(({ key }) => key.startsWith(`${INDEXES}/`)),
    reports: books.filter(({ key }) => key.startsWith(`${REPORTS}/`)),
    staging: await byRun(STAGING),
    documents: await byRun(RUNS),
    temporary,
    lives,
  };
}

/** The same of expired versions alone, from what their states say. */
export function listingOf({ files, states }: Expired): Listing {
  return {
    data: [...files].map(([key, size]) => ({ key, size })),
    states: [...states].map((key) => ({ key, size: 0 })),
    reports: [],
    indexes: [],
    temporary: [],
    staging: new Map(),
    documents: new Map(),
    lives: new RunLives(),
  };
}

/** Where a store tells no time, nothing is old. */
export function changedAt(info: ObjectInfo): number {
  if (info.mtimeNs !== undefined) return Number(BigInt(info.mtimeNs) / 1_000_000n);
  return info.modifiedAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(info.modifiedAt);
}
