import { createHash, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Contract } from '../../../src/contract/contract';
import { fingerprint } from '../../../src/discovery';
import type { PartitionDate } from '../../../src/discovery/partition-date';
import type { Plan } from '../../../src/discovery/plan-types';
import type { OutputFile, PartitionResult } from '../../../src/engine/types';
import { runOf } from '../../../src/publish';
import type { PublishInput, TableState } from '../../../src/publish';
import { buildReport } from '../../../src/quality';

export const day = (text: string): PartitionDate => text as PartitionDate;

/** A new empty folder; its `table` does not exist yet. */
export async function newTablePath(): Promise<string> {
  return join(await mkdtemp(join(tmpdir(), 'tidegate-publish-')), 'table');
}

export function contractFor(
  path: string,
  overrides: { pipeline?: string; keep?: Contract['publish']['keep'] } = {},
): Contract {
  return {
    pipeline: overrides.pipeline ?? 'transactions',
    source: { path: '/raw', partitionColumn: 'date', extraColumns: 'fail', unrecognized: 'warn' },
    columns: [{ name: 'id', type: { kind: 'int64' } }],
    incremental: { start: null, lookback: 3, reprocess: 'changed', late: 'process', gone: 'keep', future: 'leave' },
    deduplicate: { primaryKey: ['id'], orderBy: [{ column: 'id', direction: 'desc' }], scope: 'partition' },
    gates: [{ kind: 'notNull', name: 'id_present', column: 'id' }],
    publish: { path, format: 'directory', keep: overrides.keep ?? { versions: 30, days: 7 } },
    engine: { memory: 1024 ** 3 },
    schedule: null,
    notify: { webhook: null },
  };
}

/** What a run made of one date. Rows default to one published row. */
export interface Outcome {
  readonly date: string;
  readonly published?: number;
  readonly quarantined?: number;
  readonly superseded?: number;
}

/** Writes one data file. The default is not Parquet: it has Parquet's ends, and says who wrote it. */
export type WriteData = (path: string, content: { requestId: string; date: string; rows: number }) => Promise<number>;

export const writeStub: WriteData = async (path, { requestId, date, rows }) => {
  const text = `PAR1${requestId}|${date}|${rows}PAR1`;
  await writeFile(path, text, { flag: 'wx' });
  return Buffer.byteLength(text);
};

export interface Staging {
  readonly contract: Contract;
  readonly base: Pick<TableState, 'version' | 'watermark'> & Partial<Pick<TableState, 'partitions'>>;
  readonly requestId: string;
  readonly outcomes: readonly Outcome[];
  /** Dates that the run takes out of the table. */
  readonly removed?: readonly string[];
  readonly watermark?: string;
  readonly write?: WriteData;
}

/** Does what the activities before publish do: writes a run's files to staging and gives publish's input. */
export async function stage(options: Staging): Promise<PublishInput> {
  const { contract, requestId, outcomes, write = writeStub } = options;
  const run = runOf(requestId);
  const attempt = `_staging/${run}/${randomUUID()}`;
  const results: PartitionResult[] = [];
  for (const { date, published = 1, quarantined = 0, superseded = 0 } of outcomes) {
    const put = async (kind: 'curated' | 'quarantine', rows: number): Promise<OutputFile[]> => {
      if (rows === 0) return [];
      const path = `${attempt}/${kind}/date=${date}/part-${run}-${attempt.slice(-12)}-0.parquet`;
      const file = join(contract.publish.path, path);
      await mkdir(dirname(file), { recursive: true });
      return [{ path, rows, size: await write(file, { requestId, date, rows }) }];
    };
    results.push({
      date: day(date),
      counts: {
        read: published + quarantined + superseded,
        superseded,
        ambiguous: 0,
        quarantined,
        published,
        misfiled: 0,
        violations: { primaryKey: 0, id_present: quarantined },
      },
      curated: await put('curated', published),
      quarantine: await put('quarantine', quarantined),
    });
  }
  const plan = planFor(options, results);
  const planDigest = createHash('sha256').update(JSON.stringify(plan)).digest('hex');
  const published = options.base.partitions;
  const report = buildReport({ plan, planDigest, requestId, results, ...(published && { published }) });
  return { requestId, run, plan, planDigest, results, report };
}

function planFor({ contract, base, watermark, removed = [] }: Staging, results: readonly PartitionResult[]): Plan {
  const newest =
    results
      .map((result) => result.date)
      .toSorted()
      .at(-1) ?? base.watermark;
  return {
    formatVersion: 1,
    pipeline: contract.pipeline,
    scope: { kind: 'incremental' },
    base: { version: base.version, watermark: base.watermark },
    windowFrom: null,
    watermark: watermark === undefined ? newest : day(watermark),
    partitions: results.map(({ date, counts }) => {
      const files = [{ path: `date=${date}/a.parquet`, size: 10, mtimeNs: '1790000000123456789', rows: counts.read }];
      return { date, reason: 'new', files, fingerprint: fingerprint(files), rows: counts.read, bytes: 10 };
    }),
    removed: removed.map((date) => ({ date: day(date), reason: 'gone' as const })),
    left: [],
    ignored: [],
    contract,
    digests: { resolution: 'a'.repeat(64), rows: 'b'.repeat(64) },
  };
}
