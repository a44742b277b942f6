import type { DataFrame, Expr } from 'nodejs-polars';
import type { CountedFile } from '../discovery/manifest';
import { flagsOf } from './flags';
import type { Flag } from './flags';
import type { TransformInput } from './inputs';
import { releaseNativeMemory } from './memory';
import { misfiledChecks } from './misfiled';
import { FILE, LOST, MISFILED, ROW, internalName } from './names';
import { OutputWriter } from './output';
import { asDeclared } from './polars-types';
import { readPieces, storedRow } from './read';
import { lowerBound } from './read-rows';
import { SUPERSEDED, readRowSets, uniqueSet } from './row-sets';
import type { RowSets } from './row-sets';
import { batchRows, batchesOf } from './slices';
import type { Batch } from './slices';
import { verifyFiles } from './source-files';
import { type EngineHooks, type PartitionResult, QuarantineColumn } from './types';
import { frameOf, pl } from './polars';

/**
 * Reads a partition once, batch by batch, drops the rows that lost, evaluates every gate, and writes
 * what passes to `curated` and the rest to `quarantine` under the staging folder, durably. Rows keep
 * the order of (path, row); no file is written where there is nothing to write.
 *
 * @throws VoidPlan when a file of the partition vanished or changed since it was planned.
 * @throws TerminalError `UnreadableFile`; `ContractError` when a gate cannot be evaluated.
 */
export async function transformPartition(input: TransformInput, hooks: EngineHooks = {}): Promise<PartitionResult> {
  const { contract, partition, resolution } = input;
  const { rebuilt } = partition;
  const sourceRoot = rebuilt?.root ?? input.sourceRoot;
  const read = { ...partition, files: rebuilt?.files ?? partition.files };
  const flags = await flagsOf(contract, partition.date);
  const sets = await readRowSets(input.resolutionDir, resolution.rowSets);
  const misfiledIn = await misfiledChecks(sourceRoot, read, contract.source.partitionColumn);
  const curated = new OutputWriter(input, 'curated');
  const quarantine = new OutputWriter(input, 'quarantine');
  const violations = flags.map(() => 0);
  let misfiled = rebuilt?.misfiled ?? 0;
  let done = 0;
  for (const batch of batchesOf(read, batchRows(contract, partition))) {
    hooks.signal?.throwIfAborted();
    const rows = await readBatch({ ...input, sourceRoot }, batch, misfiledIn, hooks.signal);
    const outcome = await judge(rows, batch, flags, sets);
    for (const [i, count] of outcome.violations.entries()) violations[i] = violations[i]! + count;
    misfiled += outcome.misfiled;
    hooks.signal?.throwIfAborted();
    await writeBatch(input, flags, outcome, curated, quarantine);
    done += batch.rows;
    hooks.onProgress?.({ phase: 'transforming', done, total: partition.rows });
    const bytes = (partition.bytes * batch.rows) / Math.max(1, partition.rows);
    await releaseNativeMemory({ rows: batch.rows, columns: contract.columns.length, bytes });
  }
  await verifyFiles(sourceRoot, read.files);
  return {
    date: partition.date,
    counts: {
      read: partition.files.reduce((sum, { rows }) => sum + rows, 0),
      superseded: resolution.superseded,
      ambiguous: resolution.ambiguous,
      quarantined: quarantine.rows,
      published: curated.rows,
      misfiled,
      violations: Object.fromEntries(flags.map(({ name }, i) => [name, violations[i]!])),
    },
    curated: curated.files,
    quarantine: quarantine.files,
    verdicts: resolution.verdicts ?? [],
  };
}

/** Columns: c0 … as declared, `row` and `file` (where the row came from), `misfiled`. */
async function readBatch(
  { contract, sourceRoot, partition }: TransformInput,
  batch: Batch,
  misfiledIn: ReadonlyMap<CountedFile, Expr>,
  signal?: AbortSignal,
): Promise<DataFrame> {
  return readPieces({ sourceRoot, partition, signal }, batch.pieces, (piece) => [
    ...contract.columns.map((column, i) => asDeclared(column).alias(internalName(i))),
    storedRow(),
    pl.lit(piece.file.path).alias(FILE),
    (misfiledIn.get(piece.file) ?? pl.lit(false)).alias(MISFILED),
  ]);
}

interface Judged {
  /** As read, with `lost` and the flags. */
  readonly rows: DataFrame;
  /** By flag. */
  readonly violations: readonly number[];
  readonly misfiled: number;
  readonly passed: number;
  readonly rejected: number;
}

async function judge(rows: DataFrame, batch: Batch, flags: readonly Flag[], sets: RowSets): Promise<Judged> {
  const lost = maskOf(sets.get(SUPERSEDED), batch);
  const marks: Record<string, Uint8Array> = lost === null ? {} : { [LOST]: lost };
  for (const { column, violates } of flags) {
    if (!('gate' in violates)) continue;
    const mask = maskOf(sets.get(uniqueSet(violates.gate)), batch);
    if (mask !== null) marks[column] = mask;
  }
  const marked = pl.concat([rows, frameOf(marks)], { how: 'horizontal' });
  const judged = await marked
    .lazy()
    .select(
      marks[LOST] === undefined ? pl.lit(false).alias(LOST) : pl.col(LOST).eq(pl.lit(1)),
      ...flags.map(({ column, violates }) => {
        if (!('gate' in violates)) return violates.alias(column);
        return marks[column] === undefined ? pl.lit(false).alias(column) : pl.col(column).eq(pl.lit(1)).alias(column);
      }),
      pl.col(MISFILED),
    )
    .collect();
  const kept = pl.col(LOST).not();
  const rejected = pl.anyHorizontal(flags.map(({ column }) => pl.col(column)));
  const sums = await judged
    .lazy()
    .select(
      ...flags.map(({ column }) => pl.col(column).and(kept).sum().cast(pl.Float64).alias(column)),
      pl.col(MISFILED).sum().cast(pl.Float64),
      kept.and(rejected).sum().cast(pl.Float64).alias('rejected'),
      kept.and(rejected.not()).sum().cast(pl.Float64).alias('passed'),
    )
    .collect();
  const counted = sums.row(0) as number[];
  const [misfiled, rejectedRows, passed] = counted.slice(flags.length) as [number, number, number];
  return {
    rows: pl.concat([rows.drop(MISFILED), judged.drop(MISFILED)], { how: 'horizontal' }),
    violations: counted.slice(0, flags.length),
    misfiled,
    passed,
    rejected: rejectedRows,
  };
}

/** One byte a row of the batch, 1 for those in `set`; null when there is none. */
function maskOf(set: Uint32Array | undefined, batch: Batch): Uint8Array | null {
  if (set === undefined) return null;
  const from = lowerBound(set, batch.start);
  const to = lowerBound(set, batch.start + batch.rows);
  if (from === to) return null;
  const mask = new Uint8Array(batch.rows);
  for (let i = from; i < to; i++) mask[set[i]! - batch.start] = 1;
  return mask;
}

async function writeBatch(
  { contract }: TransformInput,
  flags: readonly Flag[],
  { rows, passed, rejected }: Judged,
  curated: OutputWriter,
  quarantine: OutputWriter,
): Promise<void> {
  const kept = pl.col(LOST).not();
  const isRejected = pl.anyHorizontal(flags.map(({ column }) => pl.col(column)));
  const declared = contract.columns.map(({ name }, i) => pl.col(internalName(i)).alias(name));
  if (passed > 0)
    await curated.write(
      rows
        .lazy()
        .filter(kept.and(isRejected.not()))
        .select(...declared),
    );
  if (rejected > 0) {
    await quarantine.write(
      rows
        .lazy()
        .filter(kept.and(isRejected))
        .select(
          ...declared,
          violationsOf(flags).alias(QuarantineColumn.Violations),
          pl.col(FILE).alias(QuarantineColumn.SourceFile),
          pl.col(ROW).cast(pl.Int64).alias(QuarantineColumn.SourceRow),
        ),
    );
  }
}

/** Names of the violated gates, in order. */
function violationsOf(flags: readonly Flag[]): Expr {
  const names = flags.map(({ name, column }) => pl.choose(pl.col(column), pl.lit(name), pl.lit(null)));
  return pl.listEval(pl.concatList(names), pl.element().filter(pl.element().isNotNull()));
}
