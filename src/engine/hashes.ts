import { open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { DataFrame, Expr } from 'nodejs-polars';
import type { Column } from '../contract/contract';
import { HASH_BITS, NO_HASH } from './duplicates';
import { HASH } from './names';
import { asDeclared } from './polars-types';
import { writing } from './write-error';
import { numbersOf, pl } from './polars';

const uint64 = (digits: string): Expr => pl.lit(digits).cast(pl.UInt64);

/**
 * A hash of the columns' declared values in 1 … 2^53 - 1, as float64; {@link NO_HASH} where one of
 * `columns` or `alsoPresent` is null. Equal values have equal hashes (NaN equals NaN, -0 equals 0),
 * within this process: Polars' hashes differ between its versions, so they are never kept.
 */
export function hashOf(columns: readonly Column[], alsoPresent: readonly Column[] = []): Expr {
  return hashBelow(2 ** HASH_BITS, columns, alsoPresent).cast(pl.Float64);
}

/** {@link hashOf}, in 1 … 2^32 - 1, as uint32: of the rows of a batch, few share one by chance. */
export function shortHashOf(columns: readonly Column[], alsoPresent: readonly Column[] = []): Expr {
  return hashBelow(2 ** 32, columns, alsoPresent).cast(pl.UInt32);
}

function hashBelow(end: number, columns: readonly Column[], alsoPresent: readonly Column[]): Expr {
  const [first, ...rest] = columns.map((column) => asDeclared(column).hash(0, 1, 2, 3).cast(pl.UInt64));
  const combined = rest.reduce((sum, hash) => sum.mul(uint64('6364136223846793005')).add(hash), first!);
  const absent = anyNull([...columns, ...alsoPresent]);
  const inRange = combined.modulo(uint64(String(end - 1))).add(uint64('1'));
  return pl.choose(absent, uint64(String(NO_HASH)), inRange);
}

/** {@link hashOf}, of every row, in order. */
export async function hashesOf(rows: DataFrame, hash: Expr): Promise<Float64Array> {
  return (await hashed(rows, hash)) as Float64Array;
}

/** {@link shortHashOf}, of every row, in order. */
export async function shortHashesOf(rows: DataFrame, hash: Expr): Promise<Uint32Array> {
  return (await hashed(rows, hash)) as Uint32Array;
}

async function hashed(rows: DataFrame, hash: Expr): Promise<Float64Array | Uint32Array> {
  return numbersOf(await rows.lazy().select(hash.alias(HASH)).collect(), HASH);
}

function anyNull(columns: readonly Column[]): Expr {
  const [first, ...rest] = columns.map((column) => asDeclared(column).isNull());
  return rest.reduce((any, isNull) => any.or(isNull), first!);
}

/** One array of hashes for each batch: in memory up to a budget, the rest in a file of its own. */
export class HashStore {
  readonly #kept: (
    | { readonly hashes: Float64Array }
    | { readonly hashes: null; readonly at: number; readonly length: number }
  )[] = [];
  readonly #path: string;
  #budget: number;
  #end = 0;
  #file: FileHandle | null = null;

  /** @param budget hashes kept in memory. */
  constructor(path: string, budget: number) {
    this.#path = path;
    this.#budget = budget;
  }

  /** @throws Error that names the file, when it cannot be written. */
  async append(hashes: Float64Array): Promise<void> {
    if (hashes.length <= this.#budget) {
      this.#budget -= hashes.length;
      this.#kept.push({ hashes });
      return;
    }
    const bytes = new Uint8Array(hashes.buffer, hashes.byteOffset, hashes.byteLength);
    await writing(this.#path, () => this.#write(bytes));
    this.#kept.push({ hashes: null, at: this.#end, length: hashes.length });
    this.#end += bytes.length;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#file ??= await open(this.#path, 'wx+');
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, this.#end + done);
      done += bytesWritten;
    }
  }

  async get(index: number): Promise<Float64Array> {
    const kept = this.#kept[index]!;
    if (kept.hashes !== null) return kept.hashes;
    const hashes = new Float64Array(kept.length);
    const bytes = new Uint8Array(hashes.buffer);
    for (let done = 0; done < bytes.length;) {
      const { bytesRead } = await this.#file!.read(bytes, done, bytes.length - done, kept.at + done);
      if (bytesRead === 0) throw new Error(`${this.#path} is shorter than it was written`);
      done += bytesRead;
    }
    return hashes;
  }

  async close(): Promise<void> {
    if (this.#file === null) return;
    await this.#file.close();
    await rm(this.#path, { force: true });
  }
}
