import { ahead } from './ahead';
import type { TransformInput } from './inputs';
import type { Judged } from './judge';
import { releaseNativeMemory } from './memory';
import { PartitionPass } from './partition-pass';
import { MAX_BYTES } from './slices';
import type { Batch } from './slices';
import type { EngineHooks, PartitionResult } from './types';

/**
 * Reads each partition once, batch by batch, drops the rows that lost, evaluates every gate, and writes
 * what passes to `curated` and the rest to `quarantine` under the staging folder, durably. Rows keep
 * the order of (path, row); no file is written where there is nothing to write. While one batch is being
 * written the next is read, of the same partition or the next one, as far as memory allows.
 *
 * @param hooksOf said of each partition.
 * @returns the results, in order.
 * @throws VoidPlan when a file of a partition vanished or changed since it was planned.
 * @throws TerminalError `UnreadableFile`; `ContractError` when a gate cannot be evaluated.
 */
export async function transformPartitions(
  inputs: readonly TransformInput[],
  hooksOf: (input: TransformInput) => EngineHooks = () => ({}),
): Promise<PartitionResult[]> {
  const results: Promise<PartitionResult>[] = [];
  try {
    for await (const { pass, batch, judged, isLast } of ahead(
      stepsOf(inputs, hooksOf),
      ({ bytes }) => bytes <= MAX_BYTES / 2,
    )) {
      if (batch !== null) await pass.write(batch, judged);
      if (!isLast) continue;
      // Made durable while the next partition is being written.
      await results.at(-1);
      const result = pass.end();
      result.catch(() => {});
      results.push(result);
    }
    return await Promise.all(results);
  } finally {
    await Promise.allSettled(results);
  }
}

/** {@link transformPartitions}, of one. */
export async function transformPartition(input: TransformInput, hooks: EngineHooks = {}): Promise<PartitionResult> {
  return (await transformPartitions([input], () => hooks))[0]!;
}

/** A batch that is ready to be written; a partition without rows has one step without. */
type Step = {
  readonly pass: PartitionPass;
  /** Of source files, compressed. */
  readonly bytes: number;
  readonly isLast: boolean;
} & ({ readonly batch: Batch; readonly judged: Judged } | { readonly batch: null; readonly judged: null });

async function* stepsOf(
  inputs: readonly TransformInput[],
  hooksOf: (input: TransformInput) => EngineHooks,
): AsyncGenerator<Step> {
  for (const input of inputs) {
    const { partition, contract } = input;
    const pass = await PartitionPass.begin(input, hooksOf(input));
    if (pass.batches.length === 0) yield { pass, bytes: 0, isLast: true, batch: null, judged: null };
    for (const batch of pass.batches) {
      const bytes = (partition.bytes * batch.rows) / Math.max(1, partition.rows);
      yield { pass, bytes, isLast: batch === pass.batches.at(-1), batch, judged: await pass.read(batch) };
      await releaseNativeMemory({ rows: batch.rows, columns: contract.columns.length, bytes });
    }
  }
}
