import { mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import pl from 'nodejs-polars';
import type { Contract } from '../../../src/contract';
import { type PlannedPartition, fingerprint } from '../../../src/discovery';
import { resolveTable } from '../../../src/engine/table';
import type { RowSets } from '../../../src/engine/row-sets';
import { readRowSets } from '../../../src/engine/row-sets';
import { type TableLimits, limitsOf } from '../../../src/engine/table/limits';
import type { PartitionState } from '../../../src/publish/table';
import { contractOf, int64, newFolder, stagedPath } from '../support';

const DATES = ['2026-05-01', '2026-05-02', '2026-05-03'] as const;

/** So little that every list waits on disk, every range holds a hash or two, and candidates are settled one bucket after another. */
const TIGHT: TableLimits = { rowsInMemory: 1, indexBytes: 1, hashesAtATime: 2, candidatesAtATime: 2, rowsAtATime: 3 };

interface Line {
  readonly id: number | null;
  readonly at: number | null;
  readonly receipt: number | null;
}
const few = (max: number) => fc.option(fc.nat(max), { freq: 6 });
const partition = fc.array(fc.record({ id: few(4), at: few(2), receipt: few(3) }), { maxLength: 8 });
const zone = fc.tuple(partition, partition, partition);

function contractAt(root: string): Contract {
  return contractOf(root, {
    columns: [int64('id'), int64('at'), int64('receipt')],
    scope: 'table',
    gates: [
      { kind: 'unique', name: 'in the table', columns: ['receipt'], scope: 'table' },
      { kind: 'unique', name: 'in the partition', columns: ['receipt'], scope: 'partition' },
    ],
  });
}

let written = 0;
function land(contract: Contract, date: string, lines: readonly Line[]): PlannedPartition {
  const path = `date=${date}/${written++}.parquet`;
  const full = join(contract.source.path, path);
  mkdirSync(dirname(full), { recursive: true });
  const column = (name: keyof Line): pl.Series =>
    pl.Series(
      name,
      lines.map((line) => line[name]),
      pl.Int64,
    );
  pl.DataFrame([column('id'), column('at'), column('receipt')]).writeParquet(full);
  const { size, mtimeNs } = statSync(full, { bigint: true });
  const files = [{ path, size: Number(size), mtimeNs: String(mtimeNs), rows: lines.length }];
  const [rows, bytes] = [lines.length, Number(size)];
  return { date: date as PlannedPartition['date'], reason: 'new', files, fingerprint: fingerprint(files), rows, bytes };
}

interface Resolved {
  /** By date, of what is rewritten: the reason, and the row sets. */
  readonly found: readonly (readonly [date: string, reason: string, keys: number | undefined, sets: RowSets])[];
  readonly committed: ReadonlyMap<PlannedPartition['date'], PartitionState>;
}

async function resolved(
  contract: Contract,
  partitions: readonly PlannedPartition[],
  before: Resolved['committed'],
  limits: TableLimits,
): Promise<Resolved> {
  const root = contract.publish.path;
  mkdirSync(root, { recursive: true });
  const attempt = `attempt-${written++}`;
  const { partitions: rewritten, resolutions } = await resolveTable(
    {
      contract,
      sourceRoot: contract.source.path,
      partitions,
      removed: [],
      committed: { partitions: before, root },
      tableRoot: root,
      outputRoot: root,
      outputPath: stagedPath,
      run: 'run',
      attempt,
      staging: join(root, '_staging', attempt),
      scratch: join(root, '_scratch'),
      indexes: { folder: '_index', cache: join(root, 'cache'), overlay: null },
    },
    {},
    limits,
  );
  const committed = new Map(before);
  const found: [string, string, number | undefined, RowSets][] = [];
  for (const [i, { date, reason, keys, files, fingerprint: of }] of rewritten.entries()) {
    const { rowSets, verdicts = [] } = resolutions[i]!;
    found.push([date, reason, keys, await readRowSets(root, rowSets)]);
    committed.set(date, { date, files, fingerprint: of, verdicts } as unknown as PartitionState);
  }
  return { found, committed };
}

test('what is found does not depend on how much may be held in memory', async () => {
  await fc.assert(
    fc.asyncProperty(zone, fc.nat(2), partition, async (lines, changed, again) => {
      const contract = contractAt(newFolder('limits'));
      const first = DATES.map((date, i) => land(contract, date, lines[i]!));
      const limits = limitsOf(contract);
      const [ample, tight] = [
        await resolved(contract, first, new Map(), limits),
        await resolved(contract, first, new Map(), TIGHT),
      ];
      expect(tight.found).toEqual(ample.found);
      const second = [land(contract, DATES[changed]!, again)];
      const amply = await resolved(contract, second, ample.committed, limits);
      expect((await resolved(contract, second, tight.committed, TIGHT)).found).toEqual(amply.found);
    }),
    { numRuns: 8 },
  );
}, 120_000);

test('however much memory there is, a range of indexes fits in one array', () => {
  const contract = contractAt(newFolder());
  const ample = { ...contract, engine: { ...contract.engine, memory: 512 * 1024 ** 3 } };
  // With the sixteenth by which it is made larger; arrays end at 4 GiB.
  expect(limitsOf(ample).indexBytes * 1.0625).toBeLessThan(2 ** 32);
  expect(limitsOf(contract).indexBytes).toBe(contract.engine.memory / 4);
});
