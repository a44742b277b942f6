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

/** Writes the files of one kind of output of one partition, and counts what is really in them. */
export class OutputWriter {
  readonly #input: TransformInput;
  readonly #kind: OutputKind;
  readonly #store: ObjectStore;
  readonly #files: OutputFile[] = [];

  constructor(input: TransformInput, kind: OutputKind) {
    this.#input = input;
    this.#kind = kind;
    this.#store = targetStore(input.tableRoot);
  }

  get files(): readonly OutputFile[] {
    return this.#files;
  }

  get rows(): number {
    return this.#files.reduce((sum, { rows }) => sum + rows, 0);
  }

  /** Writes one more file, durably. A failure here is the disk's, not the data's: another try may succeed. */
  async write(rows: LazyDataFrame): Promise<void> {
    const { partition, run, attempt, outputPath } = this.#input;
    const { date } = partition;
    const store = this.#store;
    const key = outputPath({ kind: this.#kind, date, run, attempt, n: this.#files.length });
    const path = store.urlOf(key);
    const work = async (): Promise<void> => {
      if (store.kind === 'local') {
        await mkdir(dirname(path), { recursive: true });
        // Names are drawn afresh by every attempt; nothing is ever opened for writing twice.
        await (await open(path, 'wx')).close();
      }
      await rows
        .sinkParquet(path, {
          compression: 'zstd',
          compressionLevel: 1,
          statistics: true,
          sinkOptions: { ...SINK },
          ...(await store.scanOptions()),
        })
        .collect();
      if (store.kind === 'local') await flush(path);
      // Read back, on a disk while it is still in memory: counts and digest are of what was written, so that
      // `verify` can tell for ever.
      const size = (await store.stat(key))?.size;
      if (size === undefined) throw new Error('it was written and is not there');
      const [footer, sha256] = await Promise.all([readFooterFacts(store, key, size), sha256Of(store, key, size)]);
      this.#files.push({ path: key, rows: footer.rows, size, sha256 });
    };
    await writing(path, work, ` for partition ${date}`);
  }
}
