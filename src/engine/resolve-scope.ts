import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataFrame, Expr, LazyDataFrame } from 'nodejs-polars';
import type { Column, Contract, UniqueGate } from '../contract/contract';
import type { PlannedPartition } from '../discovery/plan-types';
import { Candidates } from './candidates';
import { haveViews } from './detached';
import { NO_HASH, SeenTwice, trulyRepeated } from './duplicates';
import type { Suspects } from './duplicates';
import { HashStore, hashOf } from './hashes';
import { inLanes } from './lanes';
import { releaseNativeMemory } from './memory';
import { HASH, POSITION, columnsOf } from './names';
import { asDeclared, isFloat } from './polars-types';
import { RowLists, baseOf } from './positions';
import { position, readPieces } from './read';
import type { Reader } from './read';
import { lowerBound, readRows } from './read-rows';
import { keyName, orderName, settleKeys, settleUnique } from './settle';
import type { Batch, Piece } from './slices';
import { writing } from './write-error';
import { numbersOf, pl } from './polars';

/** A partition to read, and where its files lie when that is not in the raw zone. */
export interface SourcePartition extends Omit<PlannedPartition, 'reason'> {
  readonly root?: string;
}

/** A resolution over one set of partitions. */
export interface ScopeWork {
  readonly contract: Contract;
  readonly sourceRoot: string;
  readonly partitions: readonly SourcePartition[];
  /** All rows, in order. */
  readonly batches: readonly { readonly partition: number; readonly batch: Batch }[];
  /** A folder of this resolution's own that does not exist yet; it is gone at the end. */
  readonly scratch: string;
  readonly limits: {
    readonly hashesInMemory: number;
    readonly candidatesAtATime: number;
    readonly rowsAtATime: number | null;
  };
  readonly signal?: AbortSignal;
  readonly report: (rows: number) => void;
}

export const readerOf = (work: ScopeWork, partition: number): Reader => ({
  sourceRoot: work.partitions[partition]!.root ?? work.sourceRoot,
  partition: work.partitions[partition]!,
  signal: work.signal,
});

export interface HashedRows {
  readonly primaryKey: HashStore;
  readonly gates: readonly { readonly gate: UniqueGate; readonly store: HashStore }[];
  close(): Promise<void>;
}

/** Reads the key columns of every row once and keeps their hashes. */
export async function hashRows(work: ScopeWork): Promise<HashedRows> {
  const { contract, limits, scratch } = work;
  await writing(scratch, () => mkdir(scratch));
  const key = columnsOf(contract, contract.deduplicate.primaryKey);
  const gates = contract.gates.filter((gate) => gate.kind === 'unique');
  const budget = Math.floor(limits.hashesInMemory / (1 + gates.length));
  const sets = [
    { hash: hashOf(key), store: new HashStore(join(scratch, 'key'), budget) },
    ...gates.map((gate, i) => ({
      hash: hashOf(columnsOf(contract, gate.columns), key),
      store: new HashStore(join(scratch, `gate-${i}`), budget),
    })),
  ];
  const close = async (): Promise<void> => {
    for (const { store } of sets) await store.close();
    await rm(scratch, { recursive: true, force: true });
  };
  try {
    for (const { partition, batch } of work.batches) {
      const frame = await readPieces(readerOf(work, partition), batch.pieces, () =>
        sets.map(({ hash }, i) => hash.alias(keyName(i))),
      );
      for (const [i, { store }] of sets.entries()) {
        await store.append(numbersOf(frame, keyName(i)) as Float64Array);
      }
      work.report(batch.rows);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { primaryKey: sets[0]!.store, gates: gates.map((gate, i) => ({ gate, store: sets[i + 1]!.store })), close };
}

export interface Superseded {
  readonly losers: RowLists;
  /** Columns `winner`, `position`: rows that share their whole ordering value with their key's winner. */
  readonly ties: readonly DataFrame[];
}

export async function findSuperseded(work: ScopeWork, store: HashStore): Promise<Superseded> {
  const { primaryKey, orderBy } = work.contract.deduplicate;
  const by = keysAndOrder(work.contract);
  const losers = new RowLists(work.partitions.length);
  const ties: DataFrame[] = [];
  const everywhere = work.batches.map((_, i) => i);
  const hash = hashOf(columnsOf(work.contract, primaryKey));
  await settleRepeated(
    work,
    everywhere,
    hash,
    by,
    async (i) => store.get(i),
    async (rows) => {
      const settled = await settleKeys(rows, primaryKey.length, orderBy);
      losers.add(settled.losers);
      if (settled.ties !== null) ties.push(settled.ties);
    },
  );
  return { losers, ties };
}

/** What rows are settled by. */
export interface SettledBy {
  readonly columns: readonly Expr[];
  /** Whether a batch keeps their values: see `detached`. */
  readonly views: boolean;
}

/** What {@link settleKeys} decides by. */
export function keysAndOrder(contract: Contract): SettledBy {
  const { primaryKey, orderBy } = contract.deduplicate;
  const keys = valuesOf(columnsOf(contract, primaryKey));
  const order = columnsOf(
    contract,
    orderBy.map(({ column }) => column),
  );
  return {
    columns: [...keys.columns, ...order.map((column, i) => orderValue(column).alias(orderName(i)))],
    views: keys.views || haveViews(order),
  };
}

/** What {@link settleUnique} decides by. */
export const valuesOf = (columns: readonly Column[]): SettledBy => ({
  columns: columns.map((column, i) => asDeclared(column).alias(keyName(i))),
  views: haveViews(columns),
});

/** Nulls and NaN lose, whichever the direction; NaN would sort as the greatest number (SEMANTICS 4.2). */
export function orderValue(column: Column): Expr {
  const value = asDeclared(column);
  return isFloat(column.type) ? pl.choose(value.isNan(), pl.lit(null), value) : value;
}

/** Rows that violate a `unique` gate: of those that did not lose and whose primary key has no null (SEMANTICS 4.1, 5.3). */
export async function findRepeated(
  work: ScopeWork,
  gate: UniqueGate,
  store: HashStore,
  losers: RowLists,
): Promise<RowLists> {
  const by = valuesOf(columnsOf(work.contract, gate.columns));
  const hash = hashOf(columnsOf(work.contract, gate.columns));
  const repeated = new RowLists(work.partitions.length);
  const hashesOfWinners = async (index: number): Promise<Float64Array> => {
    const { partition, batch } = work.batches[index]!;
    const lost = losers.rows(partition);
    const hashes = (await store.get(index)).slice();
    for (let i = lowerBound(lost, batch.start); i < lost.length && lost[i]! < batch.start + batch.rows; i++) {
      hashes[lost[i]! - batch.start] = NO_HASH;
    }
    return hashes;
  };
  for (const batches of groupsOf(work, gate.scope)) {
    await settleRepeated(work, batches, hash, by, hashesOfWinners, async (rows) => {
      repeated.add(await settleUnique(rows, gate.columns.length));
    });
  }
  return repeated;
}

/** Indexes of the batches among which a gate's values must be unique. */
function groupsOf(work: ScopeWork, scope: UniqueGate['scope']): number[][] {
  if (scope === 'window') return [work.batches.map((_, i) => i)];
  const groups = new Map<number, number[]>();
  for (const [i, { partition }] of work.batches.entries()) {
    const group = groups.get(partition);
    if (group === undefined) groups.set(partition, [i]);
    else group.push(i);
  }
  return [...groups.values()];
}

/**
 * Hands `settle` the rows whose hash occurs more than once among these batches, with what they are settled by and
 * `position`, in complete groups, as many groups at a time as memory allows.
 */
async function settleRepeated(
  work: ScopeWork,
  batches: readonly number[],
  hash: Expr,
  by: SettledBy,
  hashes: (batch: number) => Promise<Float64Array>,
  settle: (rows: LazyDataFrame) => Promise<void>,
): Promise<void> {
  const rows = batches.reduce((sum, i) => sum + work.batches[i]!.batch.rows, 0);
  const seen = new SeenTwice(rows);
  for (const i of batches) seen.add(await hashes(i));
  const suspects: Suspects[] = [];
  for (const i of batches) {
    const own = await hashes(i);
    suspects.push(seen.suspects(own));
  }
  const found = trulyRepeated(suspects);
  const wanted = batches.map((i, n) => ({ ...work.batches[i]!, indexes: found[n]! }));
  const total = found.reduce((sum, indexes) => sum + indexes.length, 0);
  await settleRows(work, wanted, total, hash, by, settle);
}

/** Batches of which rows are read at once: one alone, or two of which one has ended, do not use every core. */
const READ_AT_ONCE = 3;

/** Rows of one batch, by their indexes in it, ascending. */
export interface WantedRows {
  readonly partition: number;
  readonly batch: Batch;
  readonly indexes: Uint32Array;
}

/**
 * Reads the wanted rows and hands them to `settle` with what they are settled by and `position`, rows of equal hashes
 * together, as many at a time as memory allows.
 *
 * @param total of the wanted rows, or a little more.
 */
export async function settleRows(
  work: ScopeWork,
  wanted: Iterable<WantedRows> | AsyncIterable<WantedRows>,
  total: number,
  hash: Expr,
  by: SettledBy,
  settle: (rows: LazyDataFrame) => Promise<void>,
): Promise<void> {
  if (total === 0) return;
  const candidates = new Candidates(join(work.scratch, randomUUID()), total, work.limits.candidatesAtATime, by.views);
  try {
    await inLanes(wanted, READ_AT_ONCE, async ({ partition, batch, indexes }) => {
      const read = (piece: Piece): Expr[] => [
        ...by.columns,
        hash.alias(HASH),
        position(piece, baseOf(partition), POSITION),
      ];
      const frame = await readRows(readerOf(work, partition), batch, indexes, read);
      if (frame !== null) await candidates.add(frame);
      // Until it is collected, what was read keeps the texts of its batch.
      await releaseNativeMemory({ rows: batch.rows, columns: 1, bytes: 0 });
    });
    for await (const bucket of candidates.buckets()) {
      work.signal?.throwIfAborted();
      await settle(bucket);
    }
  } finally {
    await candidates.close();
  }
}
