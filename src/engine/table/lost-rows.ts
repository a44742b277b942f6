import { SUPERSEDED } from '../row-sets';
import type { Member } from './members';
import type { Session } from './session';
import { minus, union } from './sorted-rows';
import type { LostForGood } from './unrecoverable';
import type { SpilledRows } from './spilled-rows';
import { rowsOf } from './verdicts';

/** What key resolution decided. */
export interface Settled extends LostForGood {
  /** Whether all rows of a member were decided again, or only those touched. */
  readonly whole: (member: Member) => boolean;
  readonly touched: SpilledRows;
  readonly losers: SpilledRows;
  /** Winners that tie with a row that differs. */
  readonly ambiguous: SpilledRows;
}

/** The rows of each member that lose to another, of any member, after this run. */
export class LostRows {
  readonly #session: Session;
  readonly #settled: Settled;
  readonly #kept = new Map<number, Uint32Array>();
  #budget: number;

  constructor(session: Session, settled: Settled) {
    this.#session = session;
    this.#settled = settled;
    this.#budget = session.limits.rowsInMemory;
  }

  async of(index: number): Promise<Uint32Array> {
    const kept = this.#kept.get(index);
    if (kept !== undefined) return kept;
    const { whole, losers } = this.#settled;
    const member = this.#session.members[index]!;
    const decided = await losers.rows(index);
    const lost = union(
      whole(member) ? decided : union(await this.untouched(member, SUPERSEDED), decided),
      await this.#session.work.unavailable(index),
    );
    if (lost.length <= this.#budget) {
      this.#budget -= lost.length;
      this.#kept.set(index, lost);
    }
    return lost;
  }

  /** Of a committed set, the rows that key resolution did not decide again. */
  async untouched({ index, committed }: Member, set: string): Promise<Uint32Array> {
    const old = rowsOf(await this.#session.verdicts.of(committed!), set);
    const { touched } = this.#settled;
    return touched.has(index) ? minus(old, await touched.rows(index)) : old;
  }
}
