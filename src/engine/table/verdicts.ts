import { createHash } from 'node:crypto';
import type { PartitionState } from '../../publish/table';
import {
  AMBIGUOUS,
  type RowSets,
  SUPERSEDED,
  UNDECIDED,
  UNRECOVERABLE,
  decodeRowSets,
  uniqueSet,
  writeRowSets,
} from '../row-sets';
import type { OutputFile } from '../types';
import { TerminalError } from '../../errors';
import { targetStore } from '../places';
import { equal } from './sorted-rows';

const NONE = new Uint32Array(0);

export const rowsOf = (sets: RowSets, set: string): Uint32Array => sets.get(set) ?? NONE;

/** Verdicts of partitions as committed, read once each, and kept in memory up to a budget. */
export class CommittedVerdicts {
  readonly #root: string;
  readonly #kept = new Map<string, RowSets>();
  #budget: number;

  /**
   * @param root location that the paths in the table's state are relative to.
   * @param budget rows kept in memory.
   */
  constructor(root: string, budget: number) {
    this.#root = root;
    this.#budget = budget;
  }

  async of({ date, verdicts }: PartitionState): Promise<RowSets> {
    const kept = this.#kept.get(date);
    if (kept !== undefined) return kept;
    const [file] = verdicts;
    const sets = file === undefined ? new Map<string, Uint32Array>() : await this.#read(date, file);
    const rows = [...sets.values()].reduce((sum, { length }) => sum + length, 0);
    if (rows <= this.#budget) {
      this.#budget -= rows;
      this.#kept.set(date, sets);
    }
    return sets;
  }

  /** Verdicts that nothing touches are carried on for ever, so what is read is held against what was committed. */
  async #read(date: string, { path, sha256 }: OutputFile): Promise<RowSets> {
    const where = `${this.#root}/${path}`;
    const store = targetStore(this.#root);
    if ((await store.stat(path)) === null) throw damaged(date, `${where} is missing`);
    const bytes = await store.read(path);
    const found = createHash('sha256').update(bytes).digest('hex');
    if (found !== sha256) throw damaged(date, `${where} has the SHA-256 ${found}; expected ${sha256}`);
    return decodeRowSets(bytes, where);
  }
}

const damaged = (date: string, what: string): TerminalError =>
  new TerminalError(
    'CorruptTable',
    `partition ${date}: ${what}. It holds which rows lost; restore it from a backup, or restate the table with a backfill --all.`,
  );

/** All sets that a partition has verdicts in. */
export const setNames = (gates: readonly string[]): string[] => [
  SUPERSEDED,
  ...gates.map(uniqueSet),
  AMBIGUOUS,
  UNRECOVERABLE,
  UNDECIDED,
];

export function sameSets(a: RowSets, b: RowSets, names: readonly string[]): boolean {
  return names.every((name) => equal(rowsOf(a, name), rowsOf(b, name)));
}

/** Writes a partition's verdicts where the table wants them; null when there are none. */
export async function writeVerdicts(root: string, path: string, sets: RowSets): Promise<OutputFile | null> {
  const bytes = await writeRowSets(root, path, sets);
  if (bytes === null) return null;
  return {
    path,
    rows: [...sets.values()].reduce((sum, { length }) => sum + length, 0),
    size: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}
