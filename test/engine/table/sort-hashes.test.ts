import fc from 'fast-check';
import { sortHashes } from '../../../src/engine/table/sort-hashes';

const MOST = Number.MAX_SAFE_INTEGER;
const hash = fc.oneof(fc.integer({ min: 1, max: MOST }), fc.constantFrom(0, 0, 1, 2, 2 ** 52, MOST));

/** What sorting pairs gives. Rows of equal hashes stand in no promised order. */
function expected(hashes: readonly number[]) {
  return hashes
    .map((value, row) => ({ value, row }))
    .filter(({ value }) => value !== 0)
    .toSorted((a, b) => a.value - b.value || a.row - b.row);
}

async function sorted(hashes: readonly number[]) {
  const { hashes: values, rows } = await sortHashes(Float64Array.from(hashes));
  expect([...values]).toEqual([...values].toSorted((a, b) => a - b));
  return [...values]
    .map((value, i) => ({ value, row: rows[i]! }))
    .toSorted((a, b) => a.value - b.value || a.row - b.row);
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
  const near = Array.from({ length: 5000 }, (_, i) => 5000 - i);
  expect(await sorted(near)).toEqual(expected(near));
  const same = Array.from({ length: 5000 }, () => 7);
  expect(await sorted(same)).toEqual(expected(same));
});

test('so many rows that Polars sorts them', async () => {
  const many = Float64Array.from({ length: 2 ** 21 + 1 }, (_, i) => (i * 7_919_777_777_777) % MOST);
  const { hashes, rows } = await sortHashes(many);
  expect(hashes).toHaveLength(many.filter((value) => value !== 0).length);
  expect(rows.every((row, i) => many[row] === hashes[i] && (i === 0 || hashes[i - 1]! <= hashes[i]!))).toBe(true);
});
