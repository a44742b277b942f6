import { createHash, randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import type { Contract } from '../contract';
import { TerminalError } from '../errors';
import { runOf as digestOf } from '../publish';
import { type ObjectStore, openStore, under } from '../storage';
import type { DocumentRef } from './types';

/** Bytes of a request id at most; it becomes part of a workflow id. */
const LONGEST_REQUEST_ID = 700;

/** How often a run that computes shows a sign of life. */
const LIFE_MS = 60_000;

/**
 * The short name of a run: request ids hold text from outside and never become part of a path.
 * @throws TerminalError `RequestError` when the id is empty or too long.
 */
export function runOf(requestId: string): string {
  if (requestId === '' || Buffer.byteLength(requestId) > LONGEST_REQUEST_ID) {
    throw new TerminalError(
      'RequestError',
      `a request id has 1 to ${LONGEST_REQUEST_ID} bytes, found ${Buffer.byteLength(requestId)}: start the request under a shorter workflow id`,
    );
  }
  return digestOf(requestId);
}

/** Where an attempt writes. */
export interface Staging {
  /** A uuid. */
  readonly attempt: string;
  /** Location of the folder. */
  readonly path: string;
  /** Told every key, relative to the table's root, that the attempt may write outside the folder. */
  readonly draws: (key: string) => void;
}

/**
 * Where a run keeps its small documents (plans, resolutions, results, reports) and where its
 * attempts stage their data. Documents are immutable, named by content or by attempt.
 */
export class RunFolder {
  readonly run: string;
  readonly #store: ObjectStore;
  readonly #root: string;

  constructor(contract: Contract, requestId: string) {
    this.run = runOf(requestId);
    this.#root = contract.publish.path;
    this.#store = openStore(this.#root, { errorType: 'TargetError' });
  }

  /** Writes a JSON document under a name drawn from its content; writing it again is fine. */
  async write(kind: string, value: unknown): Promise<DocumentRef> {
    const text = JSON.stringify(value);
    const sha256 = createHash('sha256').update(text).digest('hex');
    const key = `_runs/${this.run}/${kind}-${sha256.slice(0, 16)}.json`;
    await this.#store.putIfAbsent(key, text);
    return { path: under(this.#root, key), sha256 };
  }

  /** Reads a document of this run back, and checks that it is the one that was written. */
  async read<T>({ path, sha256 }: DocumentRef): Promise<T> {
    const key = path.startsWith(`${this.#root}/`) ? path.slice(this.#root.length + 1) : path;
    const bytes = await this.#store.read(key);
    const found = createHash('sha256').update(bytes).digest('hex');
    if (found !== sha256) {
      throw new TerminalError(
        'CorruptTable',
        `${path} is not the document this run wrote: expected SHA-256 ${sha256}, found ${found}. Start the run again.`,
      );
    }
    return JSON.parse(bytes.toString('utf8')) as T;
  }

  /**
   * Does an attempt's work with a fresh staging folder, not yet made. What a failed attempt wrote is
   * removed, there and under the keys that it `draws` elsewhere: on a full disk, the next one needs the room.
   */
  async staged<T>(work: (staging: Staging) => Promise<T>): Promise<T> {
    const attempt = randomUUID();
    const drawn: string[] = [];
    const key = `_staging/${this.run}/${attempt}`;
    const path = under(this.#root, key);
    await this.#showLife();
    const beat = setInterval(() => void this.#showLife(), LIFE_MS);
    try {
      return await work({ attempt, path, draws: (drawnKey) => drawn.push(drawnKey) });
    } catch (error) {
      await this.#remove(key).catch(() => {});
      await Promise.allSettled(drawn.map((drawnKey) => this.#store.delete(drawnKey)));
      throw error;
    } finally {
      clearInterval(beat);
    }
  }

  /** Tells vacuum that the run goes on, so that it spares what earlier activities staged. Best effort: vacuum also waits. */
  async #showLife(): Promise<void> {
    await this.#store.write(`_runs/${this.run}/alive`, '').catch(() => {});
  }

  async #remove(key: string): Promise<void> {
    if (this.#store.kind === 'local') return rm(this.#store.urlOf(key), { recursive: true, force: true });
    for await (const object of this.#store.list(key)) await this.#store.delete(object.key);
  }
}
