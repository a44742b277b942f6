import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Expr } from 'nodejs-polars';
import type { ResolveTableInput } from '../inputs';
import { lowerBound } from '../read-rows';
import { refuseTooMany } from '../resolve';
import { type SettledBy, type WantedRows, settleRows } from '../resolve-scope';
import type { TableHooks } from './hooks';
import type { TableLimits } from './limits';
import { type Member, membersOf } from './members';
import { type Part, SearchMemory, type Touched, search } from './search';
import { minus } from './sorted-rows';
import { RowBudget, SpilledRows } from './spilled-rows';
import { TableWork } from './table-work';
import { CommittedVerdicts } from './verdicts';

/** Rows that a search found, by member. */
export interface Found {
  /** Of members that are not whole: rows that the change may concern. */
  readonly touched: SpilledRows;
  /** Rows whose hash occurs more than once among all that take part. */
  readonly repeated: SpilledRows;
}

/** Hashes of each part, on average: of fewer, a window costs more than it saves. */
const WORTH_A_WINDOW = 128;

/** What the steps of one resolution share: its input, its members, and its lists of rows, which may wait on disk. */
export class Session {
  readonly input: ResolveTableInput;
  readonly hooks: TableHooks;
  readonly limits: TableLimits;
  readonly members: readonly Member[];
  readonly verdicts: CommittedVerdicts;
  readonly work: TableWork;
  readonly #scratch: string;
  readonly #lists = new Set<SpilledRows>();
  readonly #budget: RowBudget;
  readonly #memory = new SearchMemory();

  constructor(input: ResolveTableInput, hooks: TableHooks, limits: TableLimits, scratch: string) {
    this.input = input;
    this.hooks = hooks;
    this.limits = limits;
    this.#scratch = scratch;
    this.#budget = new RowBudget(limits.rowsInMemory);
    this.members = membersOf(input.partitions, new Set(input.removed), input.committed.partitions);
    refuseTooMany(this.members.map(({ source }) => source));
    this.verdicts = new CommittedVerdicts(input.committed.root, limits.rowsInMemory);
    this.work = new TableWork(input, this.members, this.verdicts, limits, scratch, hooks);
  }

  /** A new list of rows, which is closed with the session. */
  rows(): SpilledRows {
    const rows = new SpilledRows(join(this.#scratch, randomUUID()), this.#budget);
    this.#lists.add(rows);
    return rows;
  }

  async close(): Promise<void> {
    for (const list of this.#lists) await list.close();
  }

  async search(
    parts: readonly Part[],
    touched: Touched,
    without?: (partition: number) => Promise<Uint32Array>,
  ): Promise<Found> {
    const found = { touched: this.rows(), repeated: this.rows() };
    await search({
      parts,
      touched,
      indexBytes: this.limits.indexBytes,
      hashesAtATime: Math.max(this.limits.hashesAtATime, parts.length * WORTH_A_WINDOW),
      hashesRead: this.limits.rowsInMemory,
      memory: this.#memory,
      ...(without === undefined ? {} : { without }),
      ...(this.hooks.signal === undefined ? {} : { signal: this.hooks.signal }),
      onTouched: (partition, rows) => found.touched.add(partition, rows),
      onRepeated: (partition, rows) => found.repeated.add(partition, rows),
    });
    return found;
  }

  /** Reads rows and hands them to `settle`, those of equal hashes together. */
  async settle(rows: SpilledRows, hash: Expr, by: SettledBy, settle: Parameters<typeof settleRows>[5]): Promise<void> {
    let total = 0;
    for (const index of rows.partitions()) total += rows.count(index);
    await settleRows(this.work, this.#wanted(rows), total, hash, by, settle);
  }

  async *#wanted(rows: SpilledRows): AsyncGenerator<WantedRows> {
    for (const index of rows.partitions()) {
      const all = await this.#available(rows, index);
      for (const { batch } of this.work.batchesOf(index)) {
        this.hooks.signal?.throwIfAborted();
        const own = all.subarray(lowerBound(all, batch.start), lowerBound(all, batch.start + batch.rows));
        if (own.length === 0) continue;
        yield { partition: index, batch, indexes: own.map((row) => row - batch.start) };
      }
    }
  }

  /** Rows of a list that can be read: what a partition without raw files had superseded is lost. */
  async #available(rows: SpilledRows, index: number): Promise<Uint32Array> {
    return minus(await rows.rows(index), await this.work.unavailable(index));
  }
}
