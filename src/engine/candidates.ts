import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataFrame, LazyDataFrame } from 'nodejs-polars';
import { detached } from './detached';
import { HASH_BITS } from './duplicates';
import { releaseNativeMemory } from './memory';
import { HASH } from './names';
import { writing } from './write-error';
import { pl } from './polars';

const BUCKET = 'bucket';
const SINK = { maintainOrder: false, syncOnClose: 'none', mkdir: false };

/**
 * Holds candidate rows until they are settled. More than fit in memory at once are dealt into buckets
 * by their hash, so that rows with equal keys stay together, and each bucket waits on disk.
 */
export class Candidates {
  readonly #folder: string;
  readonly #haveViews: boolean;
  readonly #buckets: number;
  readonly #kept: DataFrame[] = [];
  readonly #files: string[][];

  /** @param views whether they have columns of which a batch keeps the values: see `detached`. */
  constructor(folder: string, total: number, limit: number, views: boolean) {
    this.#haveViews = views;
    this.#folder = folder;
    this.#buckets = Math.max(1, Math.ceil(total / limit));
    this.#files = Array.from({ length: this.#buckets }, () => []);
  }

  /** @param frame candidate rows, with a column `hash` (float64). */
  async add(frame: DataFrame): Promise<void> {
    if (this.#buckets === 1) {
      this.#kept.push(this.#haveViews ? await detached(frame, this.#folder) : frame);
      return;
    }
    const width = 2 ** HASH_BITS / this.#buckets;
    const dealt = await frame
      .lazy()
      .withColumns(pl.col(HASH).div(pl.lit(width)).floor().cast(pl.UInt32).alias(BUCKET))
      .collect();
    await writing(this.#folder, () => this.#deal(dealt));
  }

  async #deal(dealt: DataFrame): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    for (const [bucket, files] of this.#files.entries()) {
      // Named before it is written: another batch may be dealt meanwhile.
      const path = join(this.#folder, `${bucket}-${files.length}.parquet`);
      files.push(path);
      await dealt
        .lazy()
        .filter(pl.col(BUCKET).eq(pl.lit(bucket)))
        .drop(BUCKET)
        .sinkParquet(path, { compression: 'uncompressed', sinkOptions: SINK })
        .collect();
    }
  }

  async *buckets(): AsyncGenerator<LazyDataFrame> {
    if (this.#buckets === 1) {
      const frames = this.#kept.splice(0);
      if (frames.length > 0) yield (frames.length === 1 ? frames[0]! : pl.concat(frames)).lazy();
      return;
    }
    for (const files of this.#files) {
      const frames: DataFrame[] = [];
      for (const path of files) {
        frames.push(await pl.scanParquet(path, { glob: false, hivePartitioning: false }).collect());
        await rm(path);
      }
      if (frames.length === 0) continue;
      const all = pl.concat(frames);
      const { height: rows, width: columns } = all;
      yield all.lazy();
      await releaseNativeMemory({ rows, columns, bytes: 0 });
    }
  }

  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
