import { mkdir, open, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { LazyDataFrame } from 'nodejs-polars';
import type { PlannedPartition } from '../discovery/plan-types';
import { localStore, sha256Of } from '../storage';
import { flush } from './flush';
import { readFooterFacts } from './footer';
import type { TransformInput } from './inputs';
import type { OutputFile } from './types';
import { writing } from './write-error';

/** Order is kept only when asked for, and flushing is done here. */
const SINK = { maintainOrder: true, syncOnClose: 'none', mkdir: false };

/** Writes the files of one kind of output of one partition, and counts what is really in them. */
export class OutputWriter {
  readonly #partition: PlannedPartition;
  readonly #tableRoot: string;
  readonly #folder: string;
  readonly #name: string;
  readonly #files: OutputFile[] = [];

  constructor(input: TransformInput, kind: 'curated' | 'quarantine') {
    const { contract, partition, stagingDir, run, attempt, tableRoot } = input;
    this.#partition = partition;
    this.#tableRoot = tableRoot;
    this.#folder = join(stagingDir, kind, `${contract.source.partitionColumn}=${partition.date}`);
    this.#name = `part-${run}-${attempt}`;
  }

  get files(): readonly OutputFile[] {
    return this.#files;
  }

  get rows(): number {
    return this.#files.reduce((sum, { rows }) => sum + rows, 0);
  }

  /** Writes one more file, durably. A failure here is the disk's, not the data's: another try may succeed. */
  async write(rows: LazyDataFrame): Promise<void> {
    const path = join(this.#folder, `${this.#name}-${this.#files.length}.parquet`);
    const place = relative(this.#tableRoot, path).split(sep).join('/');
    const work = async (): Promise<void> => {
      await mkdir(this.#folder, { recursive: true });
      // Names are drawn afresh by every attempt; nothing is ever opened for writing twice.
      await (await open(path, 'wx')).close();
      await rows
        .sinkParquet(path, { compression: 'zstd', compressionLevel: 1, statistics: true, sinkOptions: { ...SINK } })
        .collect();
      await flush(path);
      const [{ size }, footer] = await Promise.all([stat(path), readFooterFacts(path)]);
      // Read back while it is still in memory: the digest is of what was written, so that `verify` can tell for ever.
      const sha256 = await sha256Of(localStore(this.#tableRoot), place, size);
      this.#files.push({ path: place, rows: footer.rows, size, sha256 });
    };
    await writing(path, work, ` for partition ${this.#partition.date}`);
  }
}
