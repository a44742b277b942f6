import { createHash } from 'node:crypto';
import type { PartitionState } from '../../publish/table';
import {
  AMBIGUOUS,
  type RowSets,
  SUPERSEDED,
  UNDECIDED,
  UNRECOVERABLE,
  readRowSets,
  uniqueSet,
  writeRowSets,
} from '../row-sets';
import type { OutputFile } from '../types';
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
    const sets = await readRowSets(this.#root, verdicts[0]?.path ?? null);
    const rows = [...sets.values()].reduce((sum, { length }) => sum + length, 0);
    if (rows <= this.#budget) {
      this.#budget -= rows;
      this.#kept.set(date, sets);
    }
    return sets;
  }
}

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
