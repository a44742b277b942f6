import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pl from 'nodejs-polars';
import { type Contract, definePipeline, resolutionDigest, rowsDigest } from '../../src/contract';
import type { PlanState, SourceFile } from '../../src/discovery';
import { fingerprint, parsePartitionDate, type PartitionDate } from '../../src/discovery';

/** A raw zone in a temporary folder. */
export class Zone {
  readonly root = join(mkdtempSync(join(tmpdir(), 'tidegate-zone-')), 'raw');

  constructor() {
    mkdirSync(this.root);
  }

  /** Writes bytes, or a Parquet file of `rows` rows (`id` int64, `at` int64). */
  put(path: string, content: string | Buffer | number = 'x'): this {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), typeof content === 'number' ? parquet(content) : content);
    return this;
  }

  remove(): void {
    rmSync(dirname(this.root), { recursive: true, force: true });
  }
}

export function parquet(rows: number): Buffer {
  const numbers = Array.from({ length: rows }, (_, index) => index);
  return pl
    .DataFrame({ id: pl.Series('id', numbers, pl.Int64), at: pl.Series('at', numbers, pl.Int64) })
    .writeParquet();
}

type Overrides = {
  readonly source?: Partial<Contract['source']>;
  readonly incremental?: Partial<Contract['incremental']>;
  readonly columns?: Record<string, string>;
};

export function contractFor(root: string, { source, incremental, columns }: Overrides = {}): Contract {
  const declared = columns ?? { id: 'int64', at: 'int64' };
  const names = Object.keys(declared);
  const contract = definePipeline({
    pipeline: 'transactions',
    source: { path: root },
    columns: declared,
    deduplicate: { primaryKey: [names[0]!], orderBy: [names.at(-1)!], scope: 'window' },
    publish: { path: join(dirname(root), 'curated') },
  });
  return {
    ...contract,
    source: { ...contract.source, ...source },
    incremental: { ...contract.incremental, ...incremental },
  };
}

export const digestsOf = (contract: Contract) => ({
  resolution: resolutionDigest(contract),
  rows: rowsDigest(contract),
});

export function day(text: string): PartitionDate {
  const date = parsePartitionDate(text);
  if (date === null) throw new Error(`not a date: ${text}`);
  return date;
}

export const EMPTY_TABLE: PlanState = { version: 0, watermark: null, commit: null, partitions: new Map() };

/** A table that published these files under these rules. */
export function published(
  contract: Contract,
  watermark: string | null,
  partitions: Record<string, readonly SourceFile[]>,
  rules: Partial<{ resolution: string; rows: string }> = {},
): PlanState {
  const digests = { ...digestsOf(contract), ...rules };
  return {
    version: 4,
    watermark: watermark === null ? null : day(watermark),
    commit: { digests },
    partitions: new Map(
      Object.entries(partitions).map(([date, files]) => [
        day(date),
        { fingerprint: fingerprint(files), rowsDigest: digests.rows },
      ]),
    ),
  };
}

/** A listed file; `version` stands for its modification time. */
export function file(date: string, name = 'a.parquet', version = 1): SourceFile {
  return { path: `date=${date}/${name}`, size: 100, mtimeNs: `${version}` };
}
