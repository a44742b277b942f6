import { type FileHandle, open, rm } from 'node:fs/promises';
import { writing } from '../write-error';
import { partitionOf, rowOf } from '../positions';

interface Segment {
  /** In bytes, in the file. */
  readonly at: number;
  /** Rows. */
  readonly length: number;
}

/** How many rows several lists may hold in memory together; the longest goes to disk first. */
export class RowBudget {
  readonly lists = new Set<SpilledRows>();
  readonly #limit: number;
  #held = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  async grew(rows: number): Promise<void> {
    this.#held += rows;
    while (this.#held > this.#limit) {
      const longest = [...this.lists].reduce((most, list) => (list.held > most.held ? list : most));
      if (longest.held === 0) return;
      await longest.spill();
    }
  }

  shrank(rows: number): void {
    this.#held -= rows;
  }
}

/** Row numbers by partition, added in any order, then read: in memory up to a budget, the rest in a file of their own. */
export class SpilledRows {
  readonly #path: string;
  readonly #budget: RowBudget;
  #kept = new Map<number, Uint32Array[]>();
  readonly #spilled = new Map<number, Segment[]>();
  #held = 0;
  #spilling: Promise<void> = Promise.resolve();
  #end = 0;
  #file: FileHandle | null = null;

  /** @param budget shared by several lists. */
  constructor(path: string, budget: RowBudget) {
    this.#path = path;
    this.#budget = budget;
    budget.lists.add(this);
  }

  /** Rows in memory. */
  get held(): number {
    return this.#held;
  }

  async add(partition: number, rows: Uint32Array): Promise<void> {
    if (rows.length === 0) return;
    const kept = this.#kept.get(partition);
    if (kept === undefined) this.#kept.set(partition, [rows]);
    else kept.push(rows);
    this.#held += rows.length;
    await this.#budget.grew(rows.length);
  }

  /** Adds rows of several partitions by their positions. */
  async addPositions(positions: Float64Array): Promise<void> {
    const sorted = positions.toSorted();
    for (let i = 0; i < sorted.length;) {
      const partition = partitionOf(sorted[i]!);
      let end = i + 1;
      while (end < sorted.length && partitionOf(sorted[end]!) === partition) end++;
      await this.add(partition, Uint32Array.from(sorted.subarray(i, end), rowOf));
      i = end;
    }
  }

  /** Partitions that have rows, ascending. */
  partitions(): number[] {
    return [...new Set([...this.#kept.keys(), ...this.#spilled.keys()])].toSorted((a, b) => a - b);
  }

  has(partition: number): boolean {
    return this.#kept.has(partition) || this.#spilled.has(partition);
  }

  /** How many rows of a partition were added. */
  count(partition: number): number {
    const parts = [...(this.#kept.get(partition) ?? []), ...(this.#spilled.get(partition) ?? [])];
    return parts.reduce((sum, { length }) => sum + length, 0);
  }

  /** Ascending. */
  async rows(partition: number): Promise<Uint32Array> {
    const kept = this.#kept.get(partition) ?? [];
    const spilled = this.#spilled.get(partition) ?? [];
    const length = [...kept, ...spilled].reduce((sum, part) => sum + part.length, 0);
    const all = new Uint32Array(length);
    let at = 0;
    for (const part of kept) {
      all.set(part, at);
      at += part.length;
    }
    for (const segment of spilled) {
      await this.#read(segment, all.subarray(at, at + segment.length));
      at += segment.length;
    }
    return all.toSorted();
  }

  async close(): Promise<void> {
    this.#budget.lists.delete(this);
    this.#budget.shrank(this.#held);
    this.#held = 0;
    this.#kept.clear();
    this.#spilled.clear();
    await this.#file?.close();
    if (this.#file !== null) await rm(this.#path, { force: true });
    this.#file = null;
  }

  /** Takes what is in memory out at once, so that rows added meanwhile are not lost; files are written one after another. */
  async spill(): Promise<void> {
    const kept = this.#kept;
    this.#kept = new Map();
    this.#budget.shrank(this.#held);
    this.#held = 0;
    this.#spilling = this.#spilling.then(() => writing(this.#path, () => this.#write(kept)));
    await this.#spilling;
  }

  async #write(kept: ReadonlyMap<number, readonly Uint32Array[]>): Promise<void> {
    this.#file ??= await open(this.#path, 'wx+');
    for (const [partition, parts] of kept) {
      const segments = this.#spilled.get(partition) ?? [];
      this.#spilled.set(partition, segments);
      for (const part of parts) {
        const bytes = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
        for (let done = 0; done < bytes.length;) {
          done += (await this.#file.write(bytes, done, bytes.length - done, this.#end + done)).bytesWritten;
        }
        segments.push({ at: this.#end, length: part.length });
        this.#end += bytes.length;
      }
    }
  }

  async #read({ at }: Segment, into: Uint32Array): Promise<void> {
    const bytes = Buffer.from(into.buffer, into.byteOffset, into.byteLength);
    for (let done = 0; done < bytes.length;) {
      const { bytesRead } = await this.#file!.read(bytes, done, bytes.length - done, at + done);
      if (bytesRead === 0) throw new Error(`${this.#path} is shorter than it was written`);
      done += bytesRead;
    }
  }
}
