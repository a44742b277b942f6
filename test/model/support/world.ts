import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Contract } from '../../../src/contract';
import type { RunScope } from '../../../src/discovery/plan-types';
import { type Table, type TableState, openTable } from '../../../src/publish';
import { type Fate, underDoom } from '../../support/fs-faults';
import { type RunActivity, failureType, runPipeline } from '../../support/run-pipeline';
import { COLUMNS, DAYS, type History, type RunStep, type Step, contractOf, sameResolution } from './history';
import { Ledger, difference, pinned } from './ledger';
import { RawZone } from './raw-zone';
import type { Expected, SqlOracle } from './sql-oracle';

/** What histories came to, in numbers: a model test that never crashes or commits shows nothing. */
export interface Tally {
  commits: number;
  crashes: number;
  refusals: number;
  compared: number;
}

export const noTally = (): Tally => ({ commits: 0, crashes: 0, refusals: 0, compared: 0 });

/** Thrown where a process died and nobody went on. */
class Died extends Error {}

type Refusal = 'RestateRequired' | 'SourceError';

const INCREMENTAL: RunStep = { do: 'incremental' };
const BACKFILL_ALL: RunStep = { do: 'backfill all' };

/** One history of so many ends with `verify`. */
const VERIFIED = 6;
const HOURS = 3_600_000;

/**
 * A raw zone, a contract and a table in a folder of their own, to which a history happens. Every version that
 * is committed is held against the oracle: it must be one full run over the files that its commit names.
 */
export class World {
  #history: Pick<History, 'format' | 'rules'>;
  #contract: Contract;
  readonly #ledger: Ledger;
  #step = -1;
  #requests = 0;

  private constructor(
    readonly root: string,
    history: History,
    readonly zone: RawZone,
    readonly oracle: SqlOracle,
    readonly tally: Tally,
  ) {
    this.#history = history;
    this.#contract = contractOf(history, root);
    this.#ledger = new Ledger(zone, oracle);
  }

  /** Makes a history happen, then lets the pipeline settle. @throws Error saying what is not as it must be. */
  static async replay(history: History, root: string, oracle: SqlOracle, tally: Tally = noTally()): Promise<World> {
    const { source } = contractOf(history, root);
    const zone = await RawZone.create(history, source.path, join(root, 'archive'), oracle);
    const world = new World(root, history, zone, oracle, tally);
    try {
      for (const step of history.steps) {
        world.#step += 1;
        await world.#happen(step);
      }
      world.#step += 1;
      await world.#settle();
    } catch (error) {
      // Where a version was wrong before, what came of it says less.
      await world.#ledger.judged();
      const last = history.steps[world.#step];
      const where = last ? `step ${world.#step}, ${JSON.stringify(last)}` : 'the end';
      throw new Error(`${where}: ${String(error)}`, { cause: error });
    } finally {
      tally.compared += world.#ledger.compared;
    }
    await world.#ledger.judged();
    return world;
  }

  get table(): Table {
    return openTable(this.#contract);
  }

  /** What stands there now: rows in order, and counts. */
  async published(): Promise<Expected> {
    const { partitions } = await this.table.read();
    const rows = await this.oracle.read(COLUMNS, pinned(this.#contract));
    return { ...rows, counts: Object.fromEntries([...partitions.values()].map(({ date, counts }) => [date, counts])) };
  }

  async #happen(step: Step): Promise<void> {
    switch (step.do) {
      case 'put':
      case 'drop':
      case 'dropDay':
      case 'restore':
      case 'move':
        return this.zone.change(step);
      case 'contract':
        this.#history = { ...this.#history, rules: { ...this.#history.rules, ...step.rules } };
        this.#contract = contractOf(this.#history, this.root);
        return undefined;
      case 'lose indexes':
        rmSync(join(this.#contract.publish.path, this.table.indexFolder), { recursive: true, force: true });
        return undefined;
      case 'vacuum':
        await this.table.vacuum({ dryRun: false, olderThanHours: 0, now: new Date(Date.now() + 2 * HOURS) });
        return undefined;
      default:
        return this.#run(step);
    }
  }

  async #run(step: RunStep): Promise<void> {
    const scope = this.#scopeOf(step);
    if (scope === null) return;
    const requestId = `request ${this.#requests++}`;
    let moved = false;
    let crashed = false;
    const around = async <T>(activity: RunActivity, attempt: () => Promise<T>): Promise<T> => {
      if (step.meanwhile?.before === activity && !moved) {
        moved = true;
        await this.#happen(step.meanwhile.change);
      }
      if (step.crash?.activity !== activity || crashed) return attempt();
      crashed = true;
      const { fate, outcome } = await underDoom(step.crash.doom, attempt);
      if (survived(fate, outcome)) return outcome.value;
      if (outcome.status === 'rejected' && !fate.dead && failureType(outcome.reason)) throw outcome.reason;
      this.tally.crashes += 1;
      if (step.crash.next === 'retry') return attempt();
      throw new Died();
    };
    const options = { asWorkflow: true, around, ...(step.groups && { groups: step.groups }) };
    const run = () => runPipeline(this.#contract, requestId, scope, options);

    const before = await this.#refusal(step);
    const outcome = await outcomeOf(run, step.crash?.next);
    // Judged by the raw zone as it was, or as it became.
    const refusals = moved ? [before, await this.#refusal(step)] : [before];
    if (outcome !== 'abandoned' && !refusals.includes(outcome)) {
      throw new Error(
        `the run ended as ${outcome ?? 'done'}, expected ${refusals.map((one) => one ?? 'done').join(' or ')}`,
      );
    }
    if (outcome === 'RestateRequired' || outcome === 'SourceError') this.tally.refusals += 1;
    const state = await this.table.read();
    const made = { scope, contract: this.#contract, moved, step: this.#step };
    if (await this.#ledger.look(state, this.table, made)) this.tally.commits += 1;
    if (outcome === null && !moved && step.do === 'incremental') this.#expectAllConsumed(state);
  }

  #scopeOf(step: RunStep): RunScope | null {
    const { from = 0, to = from } = step;
    switch (step.do) {
      case 'incremental':
        return { kind: 'incremental', ...(step.removeGone && { removeGone: step.removeGone }) };
      case 'backfill':
        return { kind: 'backfill', from: DAYS[Math.min(from, to)]!, to: DAYS[Math.max(from, to)]! };
      case 'backfill all':
        return { kind: 'backfill', select: 'all' };
      case 'backfill stale':
        return { kind: 'backfill', select: 'stale' };
      default: {
        const target = (this.#ledger.newest?.version ?? 0) - 1 - from;
        return target < 1 ? null : { kind: 'rollback', to: target };
      }
    }
  }

  /** How a run must be refused, or null: SEMANTICS 8.2; and where the raw zone is empty, as a disk that is not mounted is. */
  async #refusal(step: RunStep): Promise<Refusal | null> {
    const { newest } = this.#ledger;
    if (step.do === 'rollback' || newest === null) return null;
    const partitions = [...(await this.table.read()).partitions.values()];
    const { gone } = this.#contract.incremental;
    if (partitions.length > 0 && !sameResolution(newest.contract, this.#contract)) {
      if (step.do !== 'backfill all') return 'RestateRequired';
      // What is kept and cannot be restated.
      if (gone === 'keep' && partitions.some(({ date }) => !this.zone.holds(date))) return 'RestateRequired';
    }
    if (gone === 'keep' || !this.zone.isEmpty || step.removeGone !== undefined) return null;
    const [from, to] = [step.from ?? 0, step.to ?? 0].toSorted((a, b) => a - b) as [number, number];
    const removed = partitions.filter((partition) => {
      if (step.do === 'backfill stale') return this.#ledger.isStale(partition, this.#contract);
      return step.do !== 'backfill' || (partition.date >= DAYS[from]! && partition.date <= DAYS[to]!);
    });
    return removed.length > 0 ? 'SourceError' : null;
  }

  /** SEMANTICS 1.3. */
  #expectAllConsumed(state: TableState): void {
    const kept = this.#contract.incremental.gone === 'keep';
    const partitions = [...state.partitions.values()].filter(({ date }) => !kept || this.zone.holds(date));
    const told = difference('files consumed', RawZone.consumed(partitions), this.zone.listing());
    if (told.length > 0) throw new Error(told.join('\n'));
  }

  /** What is restated that must be, then one incremental run that sees the raw zone as it stands. */
  async #settle(): Promise<void> {
    if ((await this.#refusal(INCREMENTAL)) === 'RestateRequired') {
      // Rules changed, and nothing is left to restate from: the table stays as it is.
      if ((await this.#refusal(BACKFILL_ALL)) !== null) return;
      await this.#run(BACKFILL_ALL);
    }
    const { partitions } = await this.table.read();
    const stale = [...partitions.values()].some((one) => this.#ledger.isStale(one, this.#contract));
    if (stale) await this.#run({ do: 'backfill stale' });
    await this.#run({ ...INCREMENTAL, ...(this.zone.isEmpty && { removeGone: 'all' }) });
    const settled = await this.table.read();
    if (settled.version === 0) return;
    const made = { scope: { kind: 'incremental' }, contract: this.#contract, moved: false, step: this.#step } as const;
    await this.#ledger.lookAgain(settled, this.table, made);
    // Slow beside the rest, and tested on its own.
    if (this.#step % VERIFIED !== 0) return;
    const { faults } = await this.table.verify();
    if (faults.length > 0) throw new Error(`verify: ${JSON.stringify(faults)}`);
  }
}

/** Null: done. */
async function outcomeOf(
  run: () => Promise<unknown>,
  next: 'retry' | 'rerun' | 'abandon' | undefined,
): Promise<Refusal | 'abandoned' | null> {
  try {
    try {
      await run();
    } catch (error) {
      if (!(error instanceof Died)) throw error;
      if (next === 'abandon') return 'abandoned';
      await run();
    }
    return null;
  } catch (error) {
    const type = failureType(error);
    if (type === 'RestateRequired' || type === 'SourceError') return type;
    throw error;
  }
}

function survived<T>(fate: Fate, outcome: PromiseSettledResult<T>): outcome is PromiseFulfilledResult<T> {
  return !fate.dead && outcome.status === 'fulfilled';
}
