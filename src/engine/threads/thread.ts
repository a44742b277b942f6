/** What runs in an engine thread: each export is a task, called by its name. */
import { setTimeout } from 'node:timers/promises';
import { collectGarbage } from '../memory';
import { resolve as resolveHere } from '../resolve';
import { makeIndexes as makeIndexesHere, resolveTable as resolveTableHere } from '../table';
import { transformPartitions as transformPartitionsHere } from '../transform';
import { Caller, outcomeOf } from './caller';
import type { Meeting, Outcome, Task, TaskName, Tasks } from './protocol';

type Run<K extends TaskName> = (task: Task<K>) => Promise<Outcome<Tasks[K]['output']>>;

const withCaller =
  <K extends TaskName>(work: (input: Tasks[K]['input'], caller: Caller) => Promise<Tasks[K]['output']>): Run<K> =>
  async ({ input, port }) => {
    const caller = new Caller(port);
    try {
      return await outcomeOf(() => work(input, caller));
    } finally {
      caller.close();
      setImmediate(tidy);
    }
  };

/** Bytes of arrays that are not worth a collection. */
const LITTLE = 32 * 1024 * 1024;

/** What a task leaves would stay until the next one: it may come in another thread. */
function tidy(): void {
  if (process.memoryUsage().arrayBuffers > LITTLE) void collectGarbage();
}

/** Takes so long as other threads need to be there, too; one that cannot load is told of by itself. */
export async function ready({ arrived, threads }: Meeting): Promise<void> {
  Atomics.add(arrived, 0, 1);
  for (let waited = 0; Atomics.load(arrived, 0) < threads && waited < PATIENCE_MS; waited += MOMENT_MS) {
    await setTimeout(MOMENT_MS);
  }
}
const MOMENT_MS = 5;
const PATIENCE_MS = 10_000;

export const resolve: Run<'resolve'> = withCaller((input, { hooks }) => resolveHere(input, hooks));

export const resolveTable: Run<'resolveTable'> = withCaller((input, caller) =>
  resolveTableHere(
    { ...input, outputPath: (name) => caller.ask('outputPath', name) },
    { ...caller.hooks, makeIndexes: (some) => caller.ask('makeIndexes', some) },
  ),
);

export const transformPartitions: Run<'transformPartitions'> = withCaller((inputs, caller) =>
  transformPartitionsHere(
    inputs.map((input) => ({ ...input, outputPath: (name) => caller.ask('outputPath', name) })),
    caller.hooks,
  ),
);

export const makeIndexes: Run<'makeIndexes'> = withCaller((input, { hooks }) => makeIndexesHere(input, hooks));
