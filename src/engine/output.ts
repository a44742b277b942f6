import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { LazyDataFrame } from 'nodejs-polars';
import type { OutputKind } from '../publish/table';
import { type ObjectStore, sha256Of } from '../storage';
import { flush } from './flush';
import { storedRows } from './footer';
import type { TransformInput } from './inputs';
import { targetStore } from './places';
import type { OutputFile } from './types';
import { writing } from './write-error';

/** Order is kept only when asked for, and flushing is done here. */
const SINK = { maintainOrder: true, syncOnClose: 'none', mkdir: false };

/**
 * Rows. The most that nodejs-polars takes; its default is four times as many, which zstd's first level compresses worse, as a
 * page then holds more than its window sees. Polars and DuckDB read either as fast (docs/performance.md).
 */
const ROW_GROUP = 32_767;

const WRITTEN = { compression: 'zstd', compressionLevel: 1, statistics: true, rowGroupSize: ROW_GROUP } as const;

/** Writes the files of one kind of output of one partition, and counts what is really in them. */
export class OutputWriter {
  readonly #input: TransformInput;
  readonly #kind: OutputKind;
  readonly #store: ObjectStore;
  readonly #files: Promise<OutputFile>[] = [];
  #begun = 0;

  constructor(input: TransformInput, kind: OutputKind) {
    this.#input = input;
    this.#kind = kind;
    this.#store = targetStore(input.tableRoot);
  }

  /** All that was written, once it is durable. */
  async files(): Promise<readonly OutputFile[]> {
    return Promise.all(this.#files);
  }

  /**
   * Writes one more file. It becomes durable, and is read back, while the next one is being written: {@link files}
   * waits for that. A failure here is the disk's, not the data's: another try may succeed.
   *
   * @param before what it waits for when all else is ready.
   */
  async write(rows: LazyDataFrame, before: Promise<unknown>): Promise<void> {
    const { partition, run, attempt, outputPath } = this.#input;
    const { date } = partition;
    const store = this.#store;
    const n = this.#begun;
    this.#begun += 1;
    const key = await outputPath({ kind: this.#kind, date, run, attempt, n });
    const path = store.urlOf(key);
    const what = ` for partition ${date}`;
    const options = await writing(path, async () => this.#prepare(path), what);
    await before;
    await this.#files[n - 2];
    await writing(
      path,
      async () => rows.sinkParquet(path, { ...WRITTEN, sinkOptions: { ...SINK }, ...options }).collect(),
      what,
    );
    const file = writing(path, async () => this.#seal(key, path), what);
    // Told by `files`, or by the next but one.
    file.catch(() => {});
    this.#files.push(file);
  }

  /** @returns how Polars reaches the store. */
  async #prepare(path: string): ReturnType<ObjectStore['scanOptions']> {
    if (this.#store.kind === 'local') {
      await mkdir(dirname(path), { recursive: true });
      // Names are drawn afresh by every attempt; nothing is ever opened for writing twice.
      await (await open(path, 'wx')).close();
    }
    return this.#store.scanOptions();
  }

  /**
   * Makes it durable and reads it back, on a disk while it is still in memory: counts and digest are of
   * what was written, so that `verify` can tell for ever.
   */
  async #seal(key: string, path: string): Promise<OutputFile> {
    const store = this.#store;
    const size = (await store.stat(key))?.size;
    if (size === undefined) throw new Error('it was written and is not there');
    const [rows, sha256] = await Promise.all([
      storedRows(store, key),
      sha256Of(store, key, size),
      store.kind === 'local' ? flush(path) : undefined,
    ]);
    return { path: key, rows, size, sha256 };
  }
}
