import type { DataFrame, Expr } from 'nodejs-polars';
import type { CountedFile } from '../discovery/manifest';
import { flagsOf } from './flags';
import type { Flag } from './flags';
import type { TransformInput } from './inputs';
import { judge } from './judge';
import type { Judged } from './judge';
import { misfiledChecks } from './misfiled';
import { FILE, MISFILED, PASSED, REJECTED, ROW, internalName } from './names';
import { OutputWriter } from './output';
import { asDeclared } from './polars-types';
import { readPieces, storedRow } from './read';
import { resolve } from './resolve';
import { resolveBatch } from './resolve-batch';
import { readRowSets } from './row-sets';
import type { RowSets } from './row-sets';
import { batchRows, batchesOf } from './slices';
import type { Batch } from './slices';
import { verifyFiles } from './source-files';
import { type EngineHooks, type PartitionResult, QuarantineColumn } from './types';
import { pl } from './polars';

/** Which rows lost, and which violate `unique` gates. */
interface Resolved {
  readonly superseded: number;
  readonly ambiguous: number;
  readonly unrecoverable?: number;
  readonly sets: RowSets;
}

/** One pass over one partition: batch by batch it is read and judged, then written. */
export class PartitionPass {
  readonly #input: TransformInput;
  readonly #hooks: EngineHooks;
  readonly #flags: readonly Flag[];
  readonly #misfiledIn: ReadonlyMap<CountedFile, Expr>;
  readonly #curated: OutputWriter;
  readonly #quarantine: OutputWriter;
  readonly #violations: number[];
  /** Null until the only batch is read, where keys are resolved from it. */
  #resolved: Resolved | null = null;
  #misfiled = 0;
  #done = 0;
  readonly batches: readonly Batch[];

  private constructor(
    input: TransformInput,
    hooks: EngineHooks,
    batches: readonly Batch[],
    flags: readonly Flag[],
    misfiledIn: ReadonlyMap<CountedFile, Expr>,
  ) {
    this.#input = input;
    this.#hooks = hooks;
    this.batches = batches;
    this.#flags = flags;
    this.#misfiledIn = misfiledIn;
    this.#curated = new OutputWriter(input, 'curated');
    this.#quarantine = new OutputWriter(input, 'quarantine');
    this.#violations = flags.map(() => 0);
  }

  /** Looks at its files; reads no rows. */
  static async begin(input: TransformInput, hooks: EngineHooks): Promise<PartitionPass> {
    const { contract, partition } = input;
    const { sourceRoot, files } = placeOf(input);
    const flags = await flagsOf(contract, partition.date);
    const misfiledIn = await misfiledChecks(sourceRoot, { ...partition, files }, contract.source.partitionColumn);
    const batches = batchesOf({ files }, batchRows(contract, partition));
    return new PartitionPass(input, hooks, batches, flags, misfiledIn);
  }

  /** Decides which rows of a batch lost, and evaluates every gate. */
  async judge(batch: Batch, rows: DataFrame): Promise<Judged> {
    this.#resolved ??= await resolveBatch(this.#input.contract, rows);
    const judged = await judge(rows, batch, this.#flags, this.#resolved.sets);
    for (const [i, count] of judged.violations.entries()) this.#violations[i] = this.#violations[i]! + count;
    this.#misfiled += judged.misfiled;
    return judged;
  }

  /** Reads a batch. Columns: c0 … as declared; `row`, its number in its file; where they are not the same for all, `file` and `misfiled`. */
  async read(batch: Batch): Promise<DataFrame> {
    this.#hooks.signal?.throwIfAborted();
    this.#resolved ??= await resolvedBefore(this.#input, this.#hooks, this.batches.length);
    const { contract, partition } = this.#input;
    const { sourceRoot } = placeOf(this.#input);
    const mayBeMisfiled = batch.pieces.some(({ file }) => this.#misfiledIn.has(file));
    return readPieces({ sourceRoot, partition, signal: this.#hooks.signal }, batch.pieces, (piece) => [
      ...contract.columns.map((column, i) => asDeclared(column).alias(internalName(i))),
      storedRow(),
      ...(batch.pieces.length > 1 ? [pl.lit(piece.file.path).alias(FILE)] : []),
      ...(mayBeMisfiled ? [(this.#misfiledIn.get(piece.file) ?? pl.lit(false)).alias(MISFILED)] : []),
    ]);
  }

  /** Writes what passes to `curated` and the rest to `quarantine`, not before `before`. */
  async write(batch: Batch, { rows, passed, rejected }: Judged, before: Promise<unknown>): Promise<void> {
    this.#hooks.signal?.throwIfAborted();
    const { contract, partition } = this.#input;
    const declared = contract.columns.map(({ name }, i) => pl.col(internalName(i)).alias(name));
    const writing: Promise<void>[] = [];
    if (passed > 0) {
      const all = rows.lazy();
      const some = passed === batch.rows ? all : all.filter(pl.col(PASSED));
      writing.push(this.#curated.write(some.select(...declared), before));
    }
    if (rejected > 0) {
      const file = batch.pieces.length > 1 ? pl.col(FILE) : pl.lit(batch.pieces[0]!.file.path);
      const some = rows
        .lazy()
        .filter(pl.col(REJECTED))
        .select(
          ...declared,
          violationsOf(this.#flags).alias(QuarantineColumn.Violations),
          file.alias(QuarantineColumn.SourceFile),
          pl.col(ROW).cast(pl.Int64).alias(QuarantineColumn.SourceRow),
        );
      writing.push(this.#quarantine.write(some, before));
    }
    for (const result of await Promise.allSettled(writing)) {
      if (result.status === 'rejected') throw result.reason;
    }
    this.#done += batch.rows;
    this.#hooks.onProgress?.({ phase: 'transforming', done: this.#done, total: partition.rows, date: partition.date });
  }

  /** What the partition became, once all that was written is durable. */
  async end(): Promise<PartitionResult> {
    const { partition, resolution } = this.#input;
    const { sourceRoot, files } = placeOf(this.#input);
    const [curated, quarantine] = await Promise.all([this.#curated.files(), this.#quarantine.files()]);
    await verifyFiles(sourceRoot, files);
    const rowsIn = (some: readonly { readonly rows: number }[]): number =>
      some.reduce((sum, { rows }) => sum + rows, 0);
    return {
      date: partition.date,
      counts: {
        read: rowsIn(partition.files),
        superseded: this.#resolved?.superseded ?? 0,
        ambiguous: this.#resolved?.ambiguous ?? 0,
        ...((this.#resolved?.unrecoverable ?? 0) > 0 && { unrecoverable: this.#resolved!.unrecoverable }),
        quarantined: rowsIn(quarantine),
        published: rowsIn(curated),
        misfiled: this.#misfiled + (partition.rebuilt?.misfiled ?? 0),
        violations: Object.fromEntries(this.#flags.map(({ name }, i) => [name, this.#violations[i]!])),
      },
      curated,
      quarantine,
      ...((resolution?.undecided ?? 0) > 0 && { undecided: resolution!.undecided }),
      verdicts: resolution?.verdicts ?? [],
    };
  }
}

/** Where the rows are read from: the raw zone, or what stands in for a partition that is not there any more. */
function placeOf({ sourceRoot, partition }: TransformInput): {
  readonly sourceRoot: string;
  readonly files: readonly CountedFile[];
} {
  const { rebuilt, files } = partition;
  return rebuilt === undefined ? { sourceRoot, files } : { sourceRoot: rebuilt.root, files: rebuilt.files };
}

async function resolvedBefore(input: TransformInput, hooks: EngineHooks, batches: number): Promise<Resolved | null> {
  const { contract, sourceRoot, partition, resolutionDir: directory } = input;
  if (input.resolution === null && batches <= 1) return null;
  const resolution =
    input.resolution ?? (await resolve({ contract, sourceRoot, partitions: [partition], directory }, hooks))[0]!;
  const { superseded, ambiguous, unrecoverable = 0, rowSets } = resolution;
  return { superseded, ambiguous, unrecoverable, sets: await readRowSets(directory, rowSets) };
}

/** Names of the violated gates, in order. */
function violationsOf(flags: readonly Flag[]): Expr {
  const names = flags.map(({ name, column }) => pl.choose(pl.col(column), pl.lit(name), pl.lit(null)));
  return pl.listEval(pl.concatList(names), pl.element().filter(pl.element().isNotNull()));
}
