import { readFile, readdir, readlink } from 'node:fs/promises';
import path from 'node:path';
import type { Contract } from '../../contract';
import { plural } from '../../quality';
import type { Stage } from './stage';
import type { Transaction } from './transactions';
import { readPublished } from './transactions';

export type Format = Contract['publish']['format'];

/** What the demo's readers see, and how the story of the killed worker goes, in one format. */
export interface View {
  /** What stands at `publish.claimed`. */
  readonly moment: string;
  /** The newest version, as readers find it. */
  newest(): Promise<string>;
  /** The rows readers see. Through no code of Tidegate's: opening the table would finish what a dead worker left. */
  published(): Promise<Transaction[]>;
  /**
   * What the worker left that was killed there.
   * @param before The newest version as it was.
   * @throws Error when it is not the moment the story tells of.
   */
  left(before: string): Promise<string>;
  /** What became of the request that was in the dead worker's hands. */
  readonly went: string;
}

export function viewOf({ table, format }: Stage): View {
  return VIEWS[format](table);
}

const VIEWS: Readonly<Record<Format, (table: string) => View>> = { directory: directoryView, delta: deltaView };

function directoryView(table: string): View {
  const newest = (): Promise<string> => readlink(path.join(table, 'current'));
  const published = async (): Promise<Transaction[]> =>
    readPublished([path.join(table, await newest(), 'curated', '*', '*.parquet')]);
  return {
    moment:
      'the new version is complete and its\nnumber is taken, but readers do not see it yet. The worst moment there is.',
    newest,
    published,
    left: async (before) => {
      const claimed = (await readdir(path.join(table, 'snapshots'))).toSorted().at(-1);
      return `Claimed: snapshots/${claimed}. Shown: current still leads to ${before}, whole: ${plural((await published()).length, 'row')}.`;
    },
    went: 'The same run went on and showed version',
  };
}

function deltaView(table: string): View {
  const [curated, quarantine] = [path.join(table, 'curated'), path.join(table, 'quarantine')];
  const newest = async (): Promise<string> => `curated/_delta_log/${(await logOf(curated)).at(-1)}`;
  const published = async (): Promise<Transaction[]> => readPublished(await activeFiles(curated));
  return {
    moment:
      'the new version stands in the log of\nthe table, but its worker did not live to know it, nor to write what follows from it: the log of the quarantine,\n' +
      'the record of the request. Whoever simply tried again would commit it twice.',
    newest,
    published,
    left: async (before) => {
      const after = await newest();
      const behind = (await logOf(quarantine)).at(-1);
      if (after === before || path.basename(before) !== behind) {
        throw new Error(`the worker left ${after} and ${behind} of the quarantine; ${before} was there before`);
      }
      return `Committed: ${after}, so readers see it, whole: ${plural((await published()).length, 'row')}. Undone: the quarantine still ends with ${behind}.`;
    },
    went: 'The same run found its commit by its request id, wrote what was missing and committed nothing else.\nIt is version',
  };
}

const logOf = async (folder: string): Promise<string[]> =>
  (await readdir(path.join(folder, '_delta_log'))).filter((name) => /^\d{20}\.json$/.test(name)).toSorted();

/** A Delta table's files, as its log tells any reader: what was added and not removed since. */
async function activeFiles(folder: string): Promise<string[]> {
  const active = new Set<string>();
  for (const name of await logOf(folder)) {
    const text = await readFile(path.join(folder, '_delta_log', name), 'utf8');
    for (const line of text.split('\n').filter((each) => each !== '')) {
      const { add, remove } = JSON.parse(line) as Readonly<Partial<Record<'add' | 'remove', { path: string }>>>;
      if (remove) active.delete(remove.path);
      if (add) active.add(add.path);
    }
  }
  return [...active].map((file) => path.join(folder, ...file.split('/').map(decodeURIComponent)));
}
