import type { DataFrame } from 'nodejs-polars';
import type { TransformInput } from './inputs';
import { PartitionPass } from './partition-pass';
import type { Batch } from './slices';
import { sourceOf } from './source-files';
import type { EngineHooks } from './types';
import type { UnderWay } from './under-way';

/** A batch of so many rows is read by every core. */
const MANY_ROWS = 2 ** 18;

/** Some rows of a partition, or what stands for one without rows. */
export interface Part {
  readonly pass: PartitionPass;
  readonly isLast: boolean;
  readonly rows: number;
  readonly columns: number;
  /** Of source files, compressed. */
  readonly bytes: number;
  /** Whether the next batch is read before this one is written. */
  readonly isReadFirst: boolean;
}

/** A batch that has been read; nulls for a partition without rows. */
export interface Read extends Part {
  readonly batch: Batch | null;
  readonly frame: DataFrame | null;
}

/**
 * Reads what is to be transformed, batch by batch, in order: the next one when it is asked for.
 * @param underWay holds what is begun ahead.
 */
export async function* readBatches(
  inputs: readonly TransformInput[],
  hooks: EngineHooks,
  underWay: UnderWay,
): AsyncGenerator<Read, undefined> {
  let next: Promise<PartitionPass> | null = null;
  for (const [i, input] of inputs.entries()) {
    const pass: PartitionPass = await (next ?? PartitionPass.begin(input, hooks));
    const following = inputs[i + 1];
    // It looks at files while this one is read.
    next = following === undefined ? null : underWay.add(PartitionPass.begin(following, hooks));
    const { partition, contract, sourceRoot, resolution } = input;
    // Where keys were resolved before, judging is short; an object store is waited for, not the processor.
    const mayReadFirst = resolution === null && sourceOf(sourceRoot).kind === 'local';
    const part = { pass, columns: contract.columns.length };
    if (pass.batches.length === 0) {
      yield { ...part, isLast: true, rows: 0, bytes: 0, isReadFirst: false, batch: null, frame: null };
    }
    for (const batch of pass.batches) {
      const { rows } = batch;
      const bytes = (partition.bytes * rows) / Math.max(1, partition.rows);
      const isLast = batch === pass.batches.at(-1);
      const isReadFirst = mayReadFirst && rows >= MANY_ROWS;
      yield { ...part, isLast, rows, bytes, isReadFirst, batch, frame: await pass.read(batch) };
    }
  }
  return undefined;
}
