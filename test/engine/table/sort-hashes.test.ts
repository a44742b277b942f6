import fc from 'fast-check';
import { type Planes, keyOf } from '../../../src/engine/table/index-layout';
import { countHashes, sortHashes } from '../../../src/engine/table/sort-hashes';

const MOST = Number.MAX_SAFE_INTEGER;
const hash = fc.oneof(fc.integer({ min: 1, max: MOST }), fc.constantFrom(0, 0, 1, 2, 31, 32, 2 ** 21, 2 ** 52, MOST));
const keyOfHash = (value: number): number => Math.floor(value / 32) + 1;

/** Room that holds anything. */
const planesOf = (count: number): Planes => ({
  high: new Uint32Array(count).fill(7),
  low: new Uint16Array(count).fill(7),
  rows: new Uint32Array(count).fill(7),
});

async function planesFrom(hashes: Float64Array): Promise<Planes> {
  const planes = planesOf(countHashes(hashes));
  await sortHashes(hashes, planes);
  return planes;
}

/** What sorting pairs gives. Rows of equal keys stand in no promised order. */
function expected(hashes: readonly number[]) {
  return hashes
    .map((value, row) => ({ value, row }))
    .filter(({ value }) => value !== 0)
    .map(({ value, row }) => ({ key: keyOfHash(value), row }))
    .toSorted((a, b) => a.key - b.key || a.row - b.row);
}

async function sorted(hashes: readonly number[]) {
  const { high, low, rows } = await planesFrom(Float64Array.from(hashes));
  const keys = [...high].map((upper, i) => keyOf(upper, low[i]!));
  expect(keys).toEqual(keys.toSorted((a, b) => a - b));
  return keys.map((key, i) => ({ key, row: rows[i]! })).toSorted((a, b) => a.key - b.key || a.row - b.row);
}

test('rows are sorted by their hash; those without one are left out', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(hash, { maxLength: 300 }), async (hashes) => {
      expect(await sorted(hashes)).toEqual(expected(hashes));
    }),
    { numRuns: 200 },
  );
});

test('hashes that are not spread at all are sorted too', async () => {
  const near = Array.from({ length: 5000 }, (_, i) => (5000 - i) * 32);
  expect(await sorted(near)).toEqual(expected(near));
  const same = Array.from({ length: 5000 }, () => 7);
  expect(await sorted(same)).toEqual(expected(same));
});

test('sorting again, fewer or more, leaves nothing of before', async () => {
  for (const length of [10, 3000, 7, 0, 3000]) {
    const hashes = Array.from({ length }, (_, i) => 1 + ((i * 7_919_777_777_777 + length) % (MOST - 1)));
    expect(await sorted(hashes)).toEqual(expected(hashes));
  }
});

test('so many rows that Polars sorts them', async () => {
  const many = Float64Array.from({ length: 2 ** 21 + 1 }, (_, i) => (i * 7_919_777_777_777) % MOST);
  const { high, low, rows } = await planesFrom(many);
  expect(rows).toHaveLength(many.filter((value) => value !== 0).length);
  const keys = Float64Array.from(high, (upper, i) => keyOf(upper, low[i]!));
  expect(rows.every((row, i) => keyOfHash(many[row]!) === keys[i] && (i === 0 || keys[i - 1]! <= keys[i]))).toBe(true);
});
