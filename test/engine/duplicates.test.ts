import fc from 'fast-check';
import { HASH_BITS, NO_HASH, SeenTwice, trulyRepeated } from '../../src/engine/duplicates';

const LARGEST = 2 ** HASH_BITS - 1;
/** Few enough to repeat, close enough to share a bucket, and both ends of the range. */
const hash = fc.oneof(
  fc.integer({ min: NO_HASH, max: 6 }),
  fc.integer({ min: 0, max: 3 }).map((n) => LARGEST - n),
  fc.integer({ min: 0, max: 3 }).map((n) => 2 ** (HASH_BITS - 1) + n),
  fc.maxSafeInteger().map(Math.abs),
);

describe('hashes seen more than once', () => {
  it('are found in every batch, and nothing else is', () => {
    fc.assert(
      fc.property(fc.array(fc.array(hash, { maxLength: 40 }), { maxLength: 6 }), (batches) => {
        const all = batches.map((batch) => Float64Array.from(batch));
        const seen = new SeenTwice(batches.flat().length);
        for (const hashes of all) seen.add(hashes);
        const found = trulyRepeated(all.map((hashes) => seen.suspects(hashes)));
        const occurs = (value: number): number => batches.flat().filter((other) => other === value).length;
        const expected = batches.map((batch) =>
          batch.flatMap((value, index) => (value !== NO_HASH && occurs(value) > 1 ? [index] : [])),
        );
        expect(found.map((indexes) => [...indexes])).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('are all kept when there are too many to sort', () => {
    const hashes = new Float64Array(2 ** 21 + 1).fill(LARGEST);
    const seen = new SeenTwice(hashes.length);
    seen.add(hashes);
    const [found] = trulyRepeated([seen.suspects(hashes)]);
    expect(found).toHaveLength(hashes.length);
  });
});
