import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { Engine } from '../engine';
import type { ResolveTableInput } from '../inputs';
import type { EngineHooks } from '../types';
import { outcomeOf } from './caller';
import { messageOf } from '../../errors';
import { thaw } from './errors';
import type { Meeting, Outcome, QuestionName, Questions, Task, TaskName, Tasks, ToCaller, ToThread } from './protocol';

const THREAD = join(__dirname, 'thread.js');
/** One for a task, and one that makes indexes meanwhile. */
const THREADS_KEPT = 2;
/** A thread beyond these that had nothing to do for so long ends. */
const IDLE_MS = 60_000;
/** What was told to stop does so within seconds; what does not is ended. */
const CLOSE_MS = 15_000;
/** No task ever waits for a thread, as the one it waits for may be waiting for it; how many run at once, callers decide. */
const THREADS = 1024;

/** Answers to what a task asks. */
type Answers = { readonly [K in QuestionName]?: (asked: Questions[K]['asked']) => Promise<Questions[K]['answer']> };

/**
 * Computes in threads, whose memory is V8's for arrays and frames alone. Native frames are freed when V8 collects garbage,
 * which takes time in proportion to all that a program has loaded; and what a caller has to do between, such as to send
 * a heartbeat, need not wait for a loop over a million rows.
 *
 * A thread that dies (of memory, or a bug in native code that does not take the process with it) fails its task, which can be
 * tried again in another.
 */
export class EngineInThreads implements Engine {
  #pool: Piscina | null = null;

  /** Whether there is a compiled module for threads to load. */
  static get isPossible(): boolean {
    return existsSync(THREAD);
  }

  async start(): Promise<void> {
    const arrived = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const meet: Meeting = { arrived, threads: THREADS_KEPT };
    await Promise.all(Array.from({ length: THREADS_KEPT }, () => this.#threads().run(meet, { name: 'ready' })));
  }

  async close(): Promise<void> {
    await this.#pool?.close();
    this.#pool = null;
  }

  resolve: Engine['resolve'] = (input, hooks) => this.#run('resolve', input, hooks, {});

  resolveTable: Engine['resolveTable'] = (input, hooks) => {
    const { outputPath, ...sent } = input satisfies ResolveTableInput;
    return this.#run('resolveTable', sent, hooks, {
      outputPath: async (name) => outputPath(name),
      makeIndexes: (some) =>
        this.#run('makeIndexes', some, hooks.signal === undefined ? {} : { signal: hooks.signal }, {}),
    });
  };

  transformPartitions: Engine['transformPartitions'] = (inputs, hooks) => {
    const byDate = new Map(inputs.map((input) => [input.partition.date, input]));
    const sent = inputs.map(({ outputPath: _named, ...sendable }) => sendable);
    return this.#run('transformPartitions', sent, hooks, {
      outputPath: async (name) => byDate.get(name.date)!.outputPath(name),
    });
  };

  #threads(): Piscina {
    this.#pool ??= new Piscina({
      filename: THREAD,
      minThreads: THREADS_KEPT,
      maxThreads: THREADS,
      idleTimeout: IDLE_MS,
      // An idle thread's event loop goes on: it is what frees native memory.
      atomics: 'disabled',
      recordTiming: false,
      closeTimeout: CLOSE_MS,
    }).on('error', (error) => process.emitWarning(`an engine thread failed between tasks: ${messageOf(error)}`));
    return this.#pool;
  }

  async #run<K extends TaskName>(
    name: K,
    input: Tasks[K]['input'],
    { signal, onProgress }: EngineHooks,
    answers: Answers,
  ): Promise<Tasks[K]['output']> {
    signal?.throwIfAborted();
    const { port1: port, port2: theirs } = new MessageChannel();
    const abort = (): void => port.postMessage({ kind: 'abort' } satisfies ToThread);
    signal?.addEventListener('abort', abort);
    const hear = (message: ToCaller): void => {
      if (message.kind === 'progress') onProgress?.(message.progress);
      else void answer(port, message, answers);
    };
    port.on('message', hear);
    try {
      const outcome = await this.#outcomeOf(name, { input, port: theirs });
      // What was said before the end, and came after it.
      for (let said; (said = receiveMessageOnPort(port)) !== undefined;) hear(said.message as ToCaller);
      if (!('error' in outcome)) return outcome.output;
      signal?.throwIfAborted();
      throw thaw(outcome.error);
    } finally {
      signal?.removeEventListener('abort', abort);
      port.close();
    }
  }

  async #outcomeOf<K extends TaskName>(name: K, task: Task<K>): Promise<Outcome<Tasks[K]['output']>> {
    try {
      return (await this.#threads().run(task, { name, transferList: [task.port] })) as Outcome<Tasks[K]['output']>;
    } catch (error) {
      // Errors of the task come as its outcome.
      throw new Error(`an engine thread ended in the middle of ${name}: ${messageOf(error)}`, { cause: error });
    }
  }
}

async function answer(
  port: MessagePort,
  { id, name, asked }: Extract<ToCaller, { kind: 'question' }>,
  answers: Answers,
): Promise<void> {
  const outcome = await outcomeOf(async () => (answers[name] as (asked: unknown) => Promise<unknown>)(asked));
  port.postMessage({ kind: 'answer', id, outcome } satisfies ToThread);
}
