import fc from 'fast-check';
import { Excluded } from '../../../src/engine/table/excluded';

const rows = fc.uniqueArray(fc.nat(200), { maxLength: 60 }).map((some) => Uint32Array.from(some));

test('rows that do not count are taken out, whether or not their marks may be held, time after time', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(rows, { minLength: 1, maxLength: 3 }),
      fc.array(fc.tuple(fc.nat(2), rows), { maxLength: 6 }),
      fc.constantFrom(0, 8, 30, 1000),
      async (excluded, asked, mayHold) => {
        const sorted = excluded.map((some) => some.toSorted());
        const it = new Excluded(async (partition) => sorted[partition % sorted.length]!, mayHold);
        for (const [partition, some] of asked) {
          const out = new Set(sorted[partition % sorted.length]);
          const left = [...some].filter((row) => !out.has(row));
          const [mine, hashes] = [some.slice(), Float64Array.from(some, (row) => row + 0.5)];
          const kept = await it.take(partition, mine, hashes);
          expect([...mine.subarray(0, kept)]).toEqual(left);
          expect([...hashes.subarray(0, kept)]).toEqual(left.map((row) => row + 0.5));
        }
      },
    ),
  );
});
