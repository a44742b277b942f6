import { createHash, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pl from 'nodejs-polars';
import type { Contract } from '../../../src/contract/contract';
import { fingerprint } from '../../../src/discovery';
import type { OutputFile, PartitionResult } from '../../../src/engine/types';
import { runOf, type Commit, type PublishInput, type TableState } from '../../../src/publish';
import { DeltaTable } from '../../../src/publish/delta/delta-table';
import type { OpenTableOptions } from '../../../src/publish/open-table';
import { buildReport } from '../../../src/quality';
import { openStore, type ObjectStore } from '../../../src/storage';
import { contractFor as directoryContract, day, type Outcome } from '../support/fixture';

export { day };

export const newRoot = async (): Promise<string> => join(await mkdtemp(join(tmpdir(), 'tidegate-delta-')), 'table');

export function contractFor(path: string, overrides: Partial<Contract> = {}): Contract {
  const base = directoryContract(path);
  return {
    ...base,
    columns: [
      { name: 'id', type: { kind: 'int64' } },
      { name: 'request', type: { kind: 'string' } },
    ],
    publish: { ...base.publish, format: 'delta' },
    ...overrides,
  };
}

export const tableAt = (contract: Contract, options: OpenTableOptions = {}, store?: ObjectStore): DeltaTable =>
  new DeltaTable(contract, options, store ?? openStore(contract.publish.path, { errorType: 'TargetError' }));

type Frame = ReturnType<typeof pl.DataFrame>;
export type Rows = (
  kind: 'curated' | 'quarantine',
  content: { requestId: string; date: string; rows: number },
) => Frame;

/** Rows that say which request wrote them. */
export const plainRows: Rows = (kind, { requestId, rows }) => {
  const ids = Array.from({ length: rows }, (_, index) => BigInt(index));
  const frame = pl.DataFrame({
    id: pl.Series('id', ids, pl.Int64),
    request: pl.Series(
      'request',
      ids.map(() => requestId),
      pl.Utf8,
    ),
  });
  if (kind === 'curated') return frame;
  return frame.withColumns(
    pl.concatList([pl.lit('id_present')]).alias('_violations'),
    pl.lit('a.parquet').alias('_source_file'),
    pl.col('id').alias('_source_row'),
  );
};

export interface Staging {
  readonly contract: Contract;
  readonly base: Pick<TableState, 'version' | 'watermark'> & Partial<Pick<TableState, 'partitions'>>;
  readonly requestId: string;
  readonly outcomes: readonly Outcome[];
  /** Dates that the run takes out of the table. */
  readonly removed?: readonly string[];
  readonly rows?: Rows;
}

/** Does what the activities before publish do: writes a run's files where the table says, and gives publish's input. */
export async function stage(options: Staging): Promise<PublishInput> {
  const { contract, base, requestId, outcomes, removed = [], rows = plainRows } = options;
  const [run, attempt] = [runOf(requestId), randomUUID()];
  const table = tableAt(contract);
  const results: PartitionResult[] = [];
  for (const { date, published = 1, quarantined = 0, superseded = 0 } of outcomes) {
    const put = async (kind: 'curated' | 'quarantine', count: number): Promise<OutputFile[]> => {
      if (count === 0) return [];
      const path = table.outputPath({ kind, date: day(date), run, attempt, n: 0 });
      const bytes = rows(kind, { requestId, date, rows: count }).writeParquet({ compression: 'zstd' });
      await putFile(contract.publish.path, path, bytes);
      return [{ path, rows: count, size: bytes.length }];
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
  const newest = results.map(({ date }) => date).toSorted();
  const plan: PublishInput['plan'] = {
    formatVersion: 1,
    pipeline: contract.pipeline,
    scope: { kind: 'incremental' },
    base: { version: base.version, watermark: base.watermark },
    windowFrom: null,
    watermark: [...newest, ...(base.watermark === null ? [] : [base.watermark])].toSorted().at(-1) ?? null,
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
  const planDigest = createHash('sha256').update(JSON.stringify(plan)).digest('hex');
  const published = base.partitions;
  const report = buildReport({ plan, planDigest, requestId, results, ...(published && { published }) });
  return { requestId, run, plan, planDigest, results, report };
}

/** As Polars writes: a local file is not made durable. */
export async function putFile(root: string, key: string, bytes: string | Uint8Array): Promise<void> {
  const store = openStore(root);
  if (store.kind === 's3') return store.write(key, bytes);
  const file = store.urlOf(key);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, bytes);
}

/** Stages on the table as it is, and publishes. */
export async function publishTo(
  contract: Contract,
  requestId: string,
  outcomes: readonly Outcome[],
  rows: Rows = plainRows,
  removed: readonly string[] = [],
): Promise<Commit> {
  const table = tableAt(contract);
  await table.claimFolder();
  return table.publish(await stage({ contract, base: await table.read(), requestId, outcomes, rows, removed }));
}
