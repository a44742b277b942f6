import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { LazyDataFrame } from 'nodejs-polars';
import type { OutputKind } from '../publish/table';
import { type ObjectStore, sha256Of } from '../storage';
import { flush } from './flush';
import { readFooterFacts } from './footer';
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

/** Writes the files of one kind of output of one partition, and counts what is really in them. */
export class OutputWriter {
  readonly #input: TransformInput;
  readonly #kind: OutputKind;
  readonly #store: ObjectStore;
  readonly #files: Promise<OutputFile>[] = [];

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
   */
  async write(rows: LazyDataFrame): Promise<void> {
    const { partition, run, attempt, outputPath } = this.#input;
    const { date } = partition;
    const store = this.#store;
    const key = await outputPath({ kind: this.#kind, date, run, attempt, n: this.#files.length });
    const path = store.urlOf(key);
    const what = ` for partition ${date}`;
    await this.#files.at(-1);
    await writing(path, async () => this.#sink(rows, path), what);
    const file = writing(path, async () => this.#seal(key, path), what);
    // Told by `files`, or by the next `write`.
    file.catch(() => {});
    this.#files.push(file);
  }

  async #sink(rows: LazyDataFrame, path: string): Promise<void> {
    if (this.#store.kind === 'local') {
      await mkdir(dirname(path), { recursive: true });
      // Names are drawn afresh by every attempt; nothing is ever opened for writing twice.
      await (await open(path, 'wx')).close();
    }
    await rows
      .sinkParquet(path, {
        compression: 'zstd',
        compressionLevel: 1,
        statistics: true,
        rowGroupSize: ROW_GROUP,
        sinkOptions: { ...SINK },
        ...(await this.#store.scanOptions()),
      })
      .collect();
  }

  /**
   * Makes it durable and reads it back, on a disk while it is still in memory: counts and digest are of
   * what was written, so that `verify` can tell for ever.
   */
  async #seal(key: string, path: string): Promise<OutputFile> {
    const store = this.#store;
    if (store.kind === 'local') await flush(path);
    const size = (await store.stat(key))?.size;
    if (size === undefined) throw new Error('it was written and is not there');
    const [footer, sha256] = await Promise.all([readFooterFacts(store, key, size), sha256Of(store, key, size)]);
    return { path: key, rows: footer.rows, size, sha256 };
  }
}
