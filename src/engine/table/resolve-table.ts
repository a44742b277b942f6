import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataFrame } from 'nodejs-polars';
import type { UniqueGate } from '../../contract/contract';
import type { PlannedPartition } from '../../discovery/plan-types';
import { hashOf } from '../hashes';
import type { ResolveTableInput } from '../inputs';
import { releaseNativeMemory } from '../memory';
import { keyColumns, settleRows, settledColumns } from '../resolve-scope';
import type { WantedRows } from '../resolve-scope';
import { AMBIGUOUS, type RowSets, SUPERSEDED, uniqueSet } from '../row-sets';
import { settleKeys, settleUnique } from '../settle';
import { findAmbiguous } from '../settle-ambiguous';
import type { EngineHooks, PartitionResolution } from '../types';
import { writing } from '../write-error';
import { lowerBound } from '../read-rows';
import { type TableLimits, limitsOf } from './limits';
import type { Member } from './members';
import { membersOf } from './members';
import { type Part, type Touched, keysOfRows, repeatedWithin, search } from './search';
import type { Section } from './index-file';
import { difference, minus, union } from './sorted-rows';
import { SpilledRows } from './spilled-rows';
import { TableIndexes } from './table-indexes';
import { TableWork } from './table-work';
import { CommittedVerdicts, rowsOf, sameSets, setNames, writeVerdicts } from './verdicts';

/** What key resolution in scope `table` found. */
export interface TableResolution {
  /** What the run rewrites: what it takes, and what that couples, in date order. */
  readonly partitions: readonly PlannedPartition[];
  /** One for each of `partitions`. */
  readonly resolutions: readonly PartitionResolution[];
}

/**
 * Resolves primary keys and `unique` gates over the whole table, exactly, in proportion to what changed: a key index
 * for each partition tells which rows elsewhere a change can touch; only those are read and decided again, with all
 * rows that share their key. The verdicts of all other rows are those committed (SEMANTICS 1.2).
 *
 * @throws VoidPlan when a file of the plan, or one that the table was computed from, changed.
 * @throws TerminalError `UnreadableFile`.
 */
export async function resolveTable(
  input: ResolveTableInput,
  hooks: EngineHooks = {},
  limits: TableLimits = limitsOf(input.contract),
): Promise<TableResolution> {
  const scratch = join(input.scratch, `scratch-${randomUUID()}`);
  await writing(scratch, () => mkdir(scratch, { recursive: true }));
  try {
    return await new TableResolver(input, hooks, limits, scratch).resolve();
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Rows that a search found, by partition, and how many. */
interface Found {
  readonly touched: SpilledRows;
  readonly repeated: SpilledRows;
}

class TableResolver {
  readonly #input: ResolveTableInput;
  readonly #hooks: EngineHooks;
  readonly #limits: TableLimits;
  readonly #scratch: string;
  readonly #members: readonly Member[];
  readonly #work: TableWork;
  readonly #verdicts: CommittedVerdicts;
  readonly #lists: SpilledRows[] = [];
  /** Lost rows by member, where they are not those committed. */
  readonly #lost = new Map<number, Uint32Array>();
  #losers!: SpilledRows;
  #touched!: SpilledRows;

  constructor(input: ResolveTableInput, hooks: EngineHooks, limits: TableLimits, scratch: string) {
    this.#input = input;
    this.#hooks = hooks;
    this.#limits = limits;
    this.#scratch = scratch;
    this.#members = membersOf(input.partitions, new Set(input.removed), input.committed.partitions);
    this.#verdicts = new CommittedVerdicts(input.committed.root, limits.rowsInMemory);
    this.#work = new TableWork(input, this.#members, this.#verdicts, limits, scratch, hooks);
  }

  async resolve(): Promise<TableResolution> {
    try {
      return await this.#resolve();
    } finally {
      for (const list of this.#lists) await list.close();
    }
  }

  async #resolve(): Promise<TableResolution> {
    const indexes = new TableIndexes(this.#input, this.#work, this.#members, this.#limits);
    await indexes.prepare();
    const { keys } = indexes;
    // Where an old index is lost, all is resolved afresh; what comes out the same is left as it is.
    const whole = (member: Member): boolean => member.taken || indexes.touched === 'all';

    const found = await this.#search(indexes.parts(0, whole), indexes.touchedBy(0));
    await this.#work.makeReadable([
      ...found.touched.partitions(),
      ...(indexes.touched === 'all' ? this.#members.filter(({ taken }) => !taken).map(({ index }) => index) : []),
    ]);
    this.#touched = found.touched;
    this.#losers = this.#rows();
    const { ambiguous } = await this.#settleKeys(found.repeated);
    await found.repeated.close();

    const flips = this.#rows();
    for (const { index, committed } of this.#touchedOthers(whole, found.touched)) {
      const old = rowsOf(await this.#verdicts.of(committed!), SUPERSEDED);
      await flips.add(index, difference(old, await this.#lostOf(index, whole)));
    }
    const flagged = new Map<string, { readonly rows: SpilledRows; readonly decided: (index: number) => Promise<Uint32Array | 'all'> }>();
    for (const [i, { gate }] of keys.gates.entries()) {
      flagged.set(uniqueSet(gate.name), await this.#findRepeated(indexes, gate, i + 1, whole, flips));
    }
    const outcome = await this.#outcome(indexes, whole, ambiguous, flagged);
    await this.#work.verifyRead();
    return outcome;
  }

  #rows(): SpilledRows {
    const rows = new SpilledRows(join(this.#scratch, randomUUID()), this.#limits.rowsInMemory);
    this.#lists.push(rows);
    return rows;
  }

  async #search(
    parts: readonly Part[],
    touched: Touched,
    without?: (partition: number) => Promise<Uint32Array>,
  ): Promise<Found> {
    const found = { touched: this.#rows(), repeated: this.#rows() };
    await search({
      parts,
      touched,
      ...(without === undefined ? {} : { without }),
      ...(this.#hooks.signal === undefined ? {} : { signal: this.#hooks.signal }),
      onTouched: (partition, rows) => found.touched.add(partition, rows),
      onRepeated: (partition, rows) => found.repeated.add(partition, rows),
    });
    return found;
  }

  #touchedOthers(whole: (member: Member) => boolean, touched: SpilledRows): Member[] {
    return this.#members.filter((member) => !member.taken && (whole(member) || touched.has(member.index)));
  }

  /** Chooses the winners of all keys that occur more than once; the losers go to `#losers`. */
  async #settleKeys(repeated: SpilledRows): Promise<{ readonly ambiguous: SpilledRows }> {
    const { contract } = this.#input;
    const { primaryKey, orderBy } = contract.deduplicate;
    const hash = hashOf(this.#work.columns(primaryKey));
    const ties: DataFrame[] = [];
    await this.#settle(repeated, hash, settledColumns(contract), async (rows) => {
      const settled = await settleKeys(rows, primaryKey.length, orderBy);
      await this.#losers.addPositions(settled.losers);
      if (settled.ties !== null) ties.push(settled.ties);
    });
    const ambiguous = this.#rows();
    await findAmbiguous(this.#work, ties, (winners) => ambiguous.addPositions(winners));
    return { ambiguous };
  }

  async #settle(
    rows: SpilledRows,
    hash: Parameters<typeof settleRows>[3],
    columns: Parameters<typeof settleRows>[4],
    settle: Parameters<typeof settleRows>[5],
  ): Promise<void> {
    let total = 0;
    for (const index of rows.partitions()) total += (await this.#available(rows, index)).length;
    await settleRows(this.#work, this.#wanted(rows), total, hash, columns, settle);
  }

  async *#wanted(rows: SpilledRows): AsyncGenerator<WantedRows> {
    const columns = this.#input.contract.columns.length;
    for (const index of rows.partitions()) {
      const all = await this.#available(rows, index);
      for (const { batch } of this.#work.batchesOf(index)) {
        this.#hooks.signal?.throwIfAborted();
        const own = all.subarray(lowerBound(all, batch.start), lowerBound(all, batch.start + batch.rows));
        if (own.length === 0) continue;
        yield { partition: index, batch, indexes: own.map((row) => row - batch.start) };
        await releaseNativeMemory({ rows: batch.rows, columns: Math.min(columns, 4), bytes: 0 });
      }
    }
  }

  /** Rows of a list that can be read: what a partition without raw files had superseded is lost. */
  async #available(rows: SpilledRows, index: number): Promise<Uint32Array> {
    return minus(await rows.rows(index), await this.#work.unavailable(index));
  }

  /** Rows that lose to another, of any member, after this run. */
  async #lostOf(index: number, whole: (member: Member) => boolean): Promise<Uint32Array> {
    const known = this.#lost.get(index);
    if (known !== undefined) return known;
    const member = this.#members[index]!;
    const losers = await this.#losers.rows(index);
    const lost = union(
      whole(member) ? losers : union(await this.#leftIn(member, SUPERSEDED, this.#touched), losers),
      await this.#work.unavailable(index),
    );
    if (lost.length < this.#limits.rowsInMemory / this.#members.length) this.#lost.set(index, lost);
    return lost;
  }

  /** Of a committed set, what nothing touched. */
  async #leftIn(member: Member, set: string, touched: SpilledRows): Promise<Uint32Array> {
    const old = rowsOf(await this.#verdicts.of(member.committed!), set);
    return touched.has(member.index) ? minus(old, await touched.rows(member.index)) : old;
  }

  /** Rows that violate a `unique` gate, where that was decided again. */
  async #findRepeated(
    indexes: TableIndexes,
    gate: UniqueGate,
    section: number,
    whole: (member: Member) => boolean,
    flips: SpilledRows,
  ): Promise<{ readonly rows: SpilledRows; readonly decided: (index: number) => Promise<Uint32Array | 'all'> }> {
    const columns = this.#work.columns(gate.columns);
    const settled = this.#rows();
    const flag = async (repeated: SpilledRows): Promise<void> =>
      this.#settle(repeated, hashOf(columns), keyColumns(columns), async (rows) => {
        await settled.addPositions(await settleUnique(rows, gate.columns.length));
      });
    const lost = async (index: number): Promise<Uint32Array> => this.#lostOf(index, whole);
    if (gate.scope === 'partition') {
      const affected = this.#members.filter((member) => whole(member) || flips.has(member.index));
      await this.#work.makeReadable(affected.map(({ index }) => index));
      for (const { index } of affected) {
        const repeated = this.#rows();
        await repeated.add(index, await repeatedWithin(indexes.section(index, section), await lost(index)));
        await flag(repeated);
      }
      const decided = new Set(affected.map(({ index }) => index));
      return { rows: settled, decided: (index) => Promise.resolve(decided.has(index) ? 'all' : new Uint32Array(0)) };
    }
    const keys = await keysOf(flips, (index) => indexes.section(index, section));
    const { touched, repeated } = await this.#search(indexes.parts(section, whole), indexes.touchedBy(section, keys), lost);
    await this.#work.makeReadable(repeated.partitions());
    await flag(repeated);
    return {
      rows: settled,
      decided: async (index) => (whole(this.#members[index]!) ? 'all' : touched.rows(index)),
    };
  }

  async #outcome(
    indexes: TableIndexes,
    whole: (member: Member) => boolean,
    ambiguous: SpilledRows,
    flagged: ReadonlyMap<string, { readonly rows: SpilledRows; readonly decided: (index: number) => Promise<Uint32Array | 'all'> }>,
  ): Promise<TableResolution> {
    const names = setNames(indexes.keys.gates.map(({ gate }) => gate.name));
    const taken = new Map(this.#input.partitions.map((partition) => [partition.date, partition]));
    const partitions: PlannedPartition[] = [];
    const resolutions: PartitionResolution[] = [];
    for (const member of this.#members) {
      const { index, committed, source } = member;
      this.#hooks.signal?.throwIfAborted();
      const sets = new Map([[SUPERSEDED, await this.#lostOf(index, whole)]]);
      for (const [set, { rows, decided }] of flagged) {
        const again = await decided(index);
        const old = again === 'all' || committed === null ? new Uint32Array(0) : rowsOf(await this.#verdicts.of(committed), set);
        sets.set(set, union(again === 'all' ? old : minus(old, again), await rows.rows(index)));
      }
      const left = whole(member) ? new Uint32Array(0) : await this.#leftIn(member, AMBIGUOUS, this.#touched);
      sets.set(AMBIGUOUS, union(left, await ambiguous.rows(index)));

      let planned = taken.get(source.date);
      if (planned === undefined) {
        const old = await this.#verdicts.of(committed!);
        if (sameSets(old, sets, names)) continue;
        planned = await this.#coupled(indexes, member, old, sets, names);
      }
      partitions.push(planned);
      resolutions.push(await this.#write(planned, sets));
    }
    return { partitions, resolutions };
  }

  /** A partition that another one's change alters. */
  async #coupled(
    indexes: TableIndexes,
    { index, committed }: Member,
    old: RowSets,
    sets: RowSets,
    names: readonly string[],
  ): Promise<PlannedPartition> {
    await this.#work.makeReadable([index]);
    const altered = names
      .map((name) => difference(rowsOf(old, name), rowsOf(sets, name)))
      .reduce(union, new Uint32Array(0));
    const keys = new Set(await keysOfRows(indexes.section(index, 0), altered));
    const { date, files, fingerprint } = committed!;
    const { rows, bytes } = this.#members[index]!.source;
    const rebuilt = this.#work.rebuilt(index);
    return {
      date,
      reason: 'coupled',
      files,
      fingerprint,
      rows,
      bytes,
      keys: keys.size,
      ...(rebuilt === null ? {} : { rebuilt }),
    };
  }

  async #write({ date }: PlannedPartition, sets: RowSets): Promise<PartitionResolution> {
    const { outputRoot, outputPath, run, attempt } = this.#input;
    const path = outputPath({ kind: 'verdicts', date, run, attempt, n: 0 });
    const verdicts = await writeVerdicts(outputRoot, path, sets);
    return {
      date,
      superseded: rowsOf(sets, SUPERSEDED).length,
      ambiguous: rowsOf(sets, AMBIGUOUS).length,
      rowSets: verdicts?.path ?? null,
      verdicts: verdicts === null ? [] : [verdicts],
    };
  }
}

/** The hashes of rows in the section of each partition. */
async function keysOf(rows: SpilledRows, section: (index: number) => Section): Promise<Float64Array> {
  const parts: Float64Array[] = [];
  for (const index of rows.partitions()) parts.push(await keysOfRows(section(index), await rows.rows(index)));
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

