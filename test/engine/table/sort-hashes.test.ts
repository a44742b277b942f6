import fc from 'fast-check';
import { HASH_BITS, NO_HASH } from '../../../src/engine/duplicates';
import { sortHashes } from '../../../src/engine/table/sort-hashes';

const LARGEST = 2 ** HASH_BITS - 1;
/** Of any size; close to each other, so that they differ in the lower bits alone; and often the same. */
const hash = fc.oneof(
  fc.integer({ min: NO_HASH, max: 4 }),
  fc.integer({ min: 0, max: 4 }).map((n) => LARGEST - n),
  fc.integer({ min: 0, max: 3 }).map((n) => 2 ** 40 + n),
  fc.integer({ min: 1, max: LARGEST }),
);

test('rows that take part come by hash, then by row', () => {
  fc.assert(
    fc.property(fc.array(hash, { maxLength: 200 }), (hashes) => {
      const { hashes: sorted, rows } = sortHashes(Float64Array.from(hashes));
      const expected = hashes
        .map((value, row) => ({ value, row }))
        .filter(({ value }) => value !== NO_HASH)
        .toSorted((a, b) => a.value - b.value || a.row - b.row);
      expect([...sorted]).toEqual(expected.map(({ value }) => value));
      expect([...rows]).toEqual(expected.map(({ row }) => row));
    }),
    { numRuns: 500 },
  );
});
