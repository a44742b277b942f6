import type { MessagePort } from 'node:worker_threads';
import type { EngineHooks } from '../types';
import { freeze, thaw } from './errors';
import type { Outcome, QuestionName, Questions, ToCaller, ToThread } from './protocol';

/** The caller of a task, as the thread that does it sees it: progress is told, questions are asked, the end may be wished for. */
export class Caller {
  readonly #port: MessagePort;
  readonly #abort = new AbortController();
  readonly #waiting = new Map<number, (outcome: Outcome<unknown>) => void>();
  #asked = 0;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (message: ToThread) => {
      if (message.kind === 'abort') this.#abort.abort();
      else {
        this.#waiting.get(message.id)?.(message.outcome);
        this.#waiting.delete(message.id);
      }
    });
  }

  get hooks(): EngineHooks {
    return {
      signal: this.#abort.signal,
      onProgress: (progress) => this.#port.postMessage({ kind: 'progress', progress } satisfies ToCaller),
    };
  }

  async ask<K extends QuestionName>(name: K, asked: Questions[K]['asked']): Promise<Questions[K]['answer']> {
    const id = (this.#asked += 1);
    const outcome = await new Promise<Outcome<unknown>>((answered) => {
      this.#waiting.set(id, answered);
      this.#port.postMessage({ kind: 'question', id, name, asked } satisfies ToCaller);
    });
    if ('error' in outcome) throw thaw(outcome.error);
    return outcome.output as Questions[K]['answer'];
  }

  close(): void {
    this.#port.close();
  }
}

/** How it ended, as data. */
export async function outcomeOf<T>(work: () => Promise<T> | T): Promise<Outcome<T>> {
  try {
    return { output: await work() };
  } catch (error) {
    return { error: freeze(error) };
  }
}
