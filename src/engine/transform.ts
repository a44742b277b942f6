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
 * the order of (path, row); no file is written where there is nothing to write.
 *
 * As far as memory allows, a batch is written while the next one is read and judged, of the same partition or the
 * next: reading and writing use every core, judging mostly one.
 *
 * @param hooks progress is told of each partition, by its date.
 * @returns the results, in order.
 * @throws VoidPlan when a file of a partition vanished or changed since it was planned.
 * @throws TerminalError `UnreadableFile`; `ContractError` when a gate cannot be evaluated.
 */
export async function transformPartitions(
  inputs: readonly TransformInput[],
  hooks: EngineHooks = {},
): Promise<PartitionResult[]> {
  const results: Promise<PartitionResult>[] = [];
  const judging = new Set<Promise<unknown>>();
  try {
    let writing: Promise<void> = Promise.resolve();
    const write = async ({ pass, work, isLast }: Step): Promise<void> => {
      if (work !== null) {
        await pass.write(work.batch, await work.judged);
        judging.delete(work.judged);
      }
      if (!isLast) return;
      // Made durable while the next partition is being written.
      await results.at(-1);
      const result = pass.end();
      result.catch(() => {});
      results.push(result);
    };
    for await (const step of stepsOf(inputs, hooks, judging)) {
      await writing;
      judging.delete(writing);
      writing = write(step);
      // Told before the next one.
      writing.catch(() => {});
      judging.add(writing);
      if (step.bytes > MAX_BYTES / 2) await writing;
    }
    await writing;
    return await Promise.all(results);
  } finally {
    await Promise.allSettled([...results, ...judging]);
  }
}

/** {@link transformPartitions}, of one. */
export async function transformPartition(input: TransformInput, hooks: EngineHooks = {}): Promise<PartitionResult> {
  return (await transformPartitions([input], hooks))[0]!;
}

/** A batch that has been read, and is being judged. */
interface Step {
  readonly pass: PartitionPass;
  /** Of source files, compressed. */
  readonly bytes: number;
  readonly isLast: boolean;
  /** Null of a partition without rows. */
  readonly work: { readonly batch: Batch; readonly judged: Promise<Judged> } | null;
}

async function* stepsOf(
  inputs: readonly TransformInput[],
  hooks: EngineHooks,
  judging: Set<Promise<unknown>>,
): AsyncGenerator<Step> {
  let next: Promise<PartitionPass> | null = null;
  for (const [i, input] of inputs.entries()) {
    const { partition, contract } = input;
    const pass: PartitionPass = await (next ?? PartitionPass.begin(input, hooks));
    next = null;
    if (pass.batches.length === 0) yield { pass, bytes: 0, isLast: true, work: null };
    for (const batch of pass.batches) {
      const bytes = (partition.bytes * batch.rows) / Math.max(1, partition.rows);
      const judged = pass.judge(batch, await pass.read(batch));
      // Told when it is written.
      judged.catch(() => {});
      judging.add(judged);
      const following = inputs[i + 1];
      if (batch === pass.batches.at(-1) && following !== undefined) {
        next = PartitionPass.begin(following, hooks);
        // Told in its turn.
        next.catch(() => {});
        judging.add(next);
      }
      yield { pass, bytes, isLast: batch === pass.batches.at(-1), work: { batch, judged } };
      await releaseNativeMemory({ rows: batch.rows, columns: contract.columns.length, bytes });
    }
  }
}
