import { definePipeline } from '../../src/contract';
import type { Counts } from '../../src/quality';
import type { PartitionDate, Plan } from '../../src/discovery';
import type { PartitionResult } from '../../src/engine';

export const day = (text: string): PartitionDate => text as PartitionDate;

export const contract = definePipeline(
  {
    pipeline: 'transactions',
    source: { path: 'raw' },
    columns: { id: 'string', user_id: 'string', amount: 'float64', updated_at: 'timestamp[us]' },
    deduplicate: { primaryKey: 'id', orderBy: 'updated_at', scope: 'window' },
    gates: [
      { kind: 'notNull', column: 'user_id', name: 'complete' },
      { kind: 'inRange', column: 'amount', greaterThan: 0, name: 'valid' },
    ],
    publish: { path: 'curated' },
  },
  { baseDir: '/data' },
);

export function countsOf(partial: Partial<Counts>): Counts {
  return {
    read: 0,
    superseded: 0,
    ambiguous: 0,
    quarantined: 0,
    published: 0,
    misfiled: 0,
    violations: { primaryKey: 0, complete: 0, valid: 0 },
    ...partial,
  };
}

export function partitionOf(date: string, reason: 'new' | 'lookback', rows: number): Plan['partitions'][number] {
  const file = { path: `date=${date}/part-1.parquet`, size: 1500, mtimeNs: '1', rows };
  return { date: day(date), reason, files: [file], fingerprint: `f-${date}`, rows, bytes: 1500 };
}

export const plan: Plan = {
  formatVersion: 1,
  pipeline: 'transactions',
  scope: { kind: 'incremental' },
  base: { version: 3, watermark: day('2026-05-07') },
  windowFrom: day('2026-05-04'),
  watermark: day('2026-05-08'),
  partitions: [partitionOf('2026-05-07', 'lookback', 1200), partitionOf('2026-05-08', 'new', 10)],
  removed: [],
  left: [
    {
      date: day('2026-04-30'),
      reason: 'late: not taken',
      hint: 'tidegate backfill transactions --from 2026-04-30 --to 2026-04-30',
    },
    { date: day('2026-05-01'), reason: 'unchanged' },
    { date: day('2026-05-02'), reason: 'unchanged' },
    { date: day('2026-05-03'), reason: 'unchanged' },
    { date: day('2026-05-04'), reason: 'unchanged' },
  ],
  ignored: [{ path: 'date=..\u001b[31m', reason: 'not a date', count: 1, bytes: 12 }],
  contract,
  digests: { resolution: 'r', rows: 'w' },
};

export const results: PartitionResult[] = [
  {
    date: day('2026-05-08'),
    counts: countsOf({
      read: 10,
      quarantined: 2,
      published: 8,
      ambiguous: 1,
      violations: { primaryKey: 0, complete: 1, valid: 1 },
    }),
    curated: [],
    quarantine: [],
  },
  {
    date: day('2026-05-07'),
    counts: countsOf({ read: 1200, superseded: 3, published: 1197, misfiled: 4 }),
    curated: [],
    quarantine: [],
  },
];
