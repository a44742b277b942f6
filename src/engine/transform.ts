import { setImmediate, setTimeout } from 'node:timers/promises';
import type { TransformInput } from './inputs';
import type { Judged } from './judge';
import { releaseNativeMemory } from './memory';
import { type Part, type Read, readBatches } from './read-batches';
import { MAX_BYTES } from './slices';
import type { Batch } from './slices';
import type { EngineHooks, PartitionResult } from './types';
import { UnderWay } from './under-way';

/** What takes longer waits for the disk, not for the processor. */
const READ_FIRST_MS = 250;

/**
 * Reads each partition once, batch by batch, drops the rows that lost, evaluates every gate, and writes
 * what passes to `curated` and the rest to `quarantine` under the staging folder, durably. Rows keep
 * the order of (path, row); no file is written where there is nothing to write.
 *
 * As far as memory allows, a batch is judged while the one before it is written, of the same partition or another:
 * judging takes one core, writing all that are left. Reading takes all of them, too. Where judging takes long it goes first:
 * beside a writing it would end when that ends, and what was read would be judged with nothing else to do.
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
  const underWay = new UnderWay();
  const results: Promise<PartitionResult>[] = [];
  const write = async ({ pass, work, isLast }: Step, before: Promise<unknown>): Promise<void> => {
    if (work === null) await before;
    else await pass.write(work.batch, await work.judged, before);
    if (!isLast) return;
    // Made durable while the next partition is being written.
    await results.at(-1);
    results.push(underWay.add(pass.end()));
  };
  const batches = readBatches(inputs, hooks, underWay);
  try {
    let last: Step | null = null;
    let writing: Promise<void> = Promise.resolve();
    for (;;) {
      const written: Promise<void> = writing;
      const next = once(() => underWay.add(batches.next()));
      if (last !== null && !isLarge(last)) {
        // All that can be is made ready while the one before it is written.
        writing = underWay.add(write(last, underWay.add(turnOf(last, written, next, hooks))));
      }
      await written;
      const reading = next();
      if (last !== null) {
        // What was written, while others are written and read.
        await setImmediate();
        await releaseNativeMemory(last);
      }
      const { value: read } = await reading;
      if (read === undefined) break;
      last = judging(read, underWay, last);
      if (isLarge(last)) {
        await writing;
        writing = underWay.add(write(last, Promise.resolve()));
      }
    }
    await writing;
    return await Promise.all(results);
  } finally {
    await underWay.settled();
  }
}

/** {@link transformPartitions}, of one. */
export async function transformPartition(input: TransformInput, hooks: EngineHooks = {}): Promise<PartitionResult> {
  return (await transformPartitions([input], hooks))[0]!;
}

/** A batch that is being judged; null for a partition without rows. */
interface Step extends Part {
  readonly work: { readonly batch: Batch; readonly judged: Promise<Judged> } | null;
}

/** Whether it should be alone in memory. */
const isLarge = ({ bytes }: Part): boolean => bytes > MAX_BYTES / 2;

/** Judges a batch, after the one before it, whose writing waits for that. */
function judging({ batch, frame, ...part }: Read, underWay: UnderWay, before: Step | null): Step {
  if (batch === null || frame === null) return { ...part, work: null };
  const inTurn = async (): Promise<Judged> => {
    await before?.work?.judged;
    return part.pass.judge(batch, frame);
  };
  return { ...part, work: { batch, judged: underWay.add(inTurn()) } };
}

/** When a batch may be written: after the one before it and, where that is worth it, once the next one is read. */
async function turnOf(
  { isReadFirst }: Part,
  written: Promise<void>,
  next: () => Promise<unknown>,
  { signal }: EngineHooks,
): Promise<void> {
  await written;
  const reading = next();
  if (isReadFirst) {
    // Its failure is told by who reads.
    await Promise.race([reading.catch(() => {}), setTimeout(READ_FIRST_MS, undefined, { ref: false })]);
  }
  signal?.throwIfAborted();
}

function once<T>(work: () => T): () => T {
  let result: { readonly of: T } | null = null;
  return () => (result ??= { of: work() }).of;
}
