import { mkdirSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pl from 'nodejs-polars';
import { fingerprint, type PartitionDate } from '../../../src/discovery';
import { type MakeIndexesInput, makeIndexes } from '../../../src/engine/table';
import { VoidPlan } from '../../../src/errors';
import { contractOf, int64, newFolder } from '../support';

const DAYS = 7;

/** A raw zone of a few days, and what is needed to index them. */
function scene(): MakeIndexesInput {
  const root = newFolder();
  const contract = contractOf(root, { columns: [int64('id'), int64('at')], scope: 'table' });
  const sources = Array.from({ length: DAYS }, (_, day) => {
    const date = `2026-05-0${day + 1}` as PartitionDate;
    const path = `date=${date}/0.parquet`;
    const full = join(contract.source.path, path);
    mkdirSync(dirname(full), { recursive: true });
    const column = (name: string): pl.Series => pl.Series(name, [day, day + 1, day + 2], pl.Int64);
    pl.DataFrame([column('id'), column('at')]).writeParquet(full);
    const { size, mtimeNs } = statSync(full, { bigint: true });
    const files = [{ path, size: Number(size), mtimeNs: String(mtimeNs), rows: 3 }];
    return { date, files, fingerprint: fingerprint(files), rows: 3, bytes: Number(size) };
  });
  return {
    contract,
    sourceRoot: contract.source.path,
    sources,
    begun: new Int32Array(new SharedArrayBuffer(4)),
    rowsAtATime: null,
    tableRoot: contract.publish.path,
    indexes: { folder: '_index', cache: join(root, 'cache'), overlay: null },
    scratch: join(root, 'scratch'),
  };
}

const indexesIn = ({ tableRoot }: MakeIndexesInput): string[] => {
  const [identity] = readdirSync(join(tableRoot, '_index'));
  return readdirSync(join(tableRoot, '_index', identity!)).map((name) => name.slice(0, 10));
};

test('several that are given the same work make each index once', async () => {
  const input = scene();
  const made: number[][] = [[], [], []];
  await Promise.all(made.map((own) => makeIndexes(input, {}, (i, { rows }) => void own.push(i * 10 + rows))));
  expect(made.flat().toSorted((a, b) => a - b)).toEqual(input.sources.map((_, i) => i * 10 + 3));
  expect(made.filter((own) => own.length > 0).length).toBeGreaterThan(1);
  expect(indexesIn(input).toSorted()).toEqual(input.sources.map(({ date }) => date));
});

test('where one fails, none begins another, and what was made is kept', async () => {
  const input = scene();
  const path = join(input.sourceRoot, input.sources[3]!.files[0]!.path);
  utimesSync(path, new Date(0), new Date(0));
  const made: number[] = [];
  await expect(makeIndexes(input, {}, (i) => void made.push(i))).rejects.toThrow(VoidPlan);
  expect(made).toEqual([0, 1, 2]);
  await makeIndexes(input, {}, (i) => void made.push(i));
  expect(made).toEqual([0, 1, 2]);
  expect(indexesIn(input)).toHaveLength(3);
});

test('an index that cannot be kept fails it, and the others too', async () => {
  const input = scene();
  const full = { ...input, indexes: { ...input.indexes, overlay: '/dev/null/nowhere' } };
  await expect(makeIndexes(full)).rejects.toThrow('/dev/null');
  expect(Atomics.load(input.begun, 0)).toBeGreaterThanOrEqual(DAYS);
});

test('asked to stop, it does', async () => {
  const input = scene();
  await expect(makeIndexes(input, { signal: AbortSignal.abort() })).rejects.toThrow('aborted');
  expect(Atomics.load(input.begun, 0)).toBeGreaterThanOrEqual(DAYS);
});
