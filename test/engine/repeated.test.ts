import fc from 'fast-check';
import { NO_HASH } from '../../src/engine/duplicates';
import { mayBeRepeated } from '../../src/engine/repeated';

const LARGEST = 2 ** 32 - 1;
/** Few enough to repeat, close enough to share a bucket, and both ends of the range. */
const hash = fc.oneof(
  fc.integer({ min: NO_HASH, max: 6 }),
  fc.integer({ min: 0, max: 3 }).map((n) => LARGEST - n),
  fc.integer({ min: 0, max: 3 }).map((n) => 2 ** 31 + n),
  fc.nat(LARGEST),
);

describe('hashes that may be repeated', () => {
  it('are, ascending, all that occur again, and none of rows that take no part', () => {
    fc.assert(
      fc.property(fc.array(hash, { maxLength: 60 }), (values) => {
        const found = [...mayBeRepeated(Uint32Array.from(values))];
        const times = (value: number): number => values.filter((other) => other === value).length;
        const repeated = values.flatMap((value, i) => (value !== NO_HASH && times(value) > 1 ? [i] : []));
        expect(found.filter((i) => times(values[i]!) > 1)).toEqual(repeated);
        expect(found).toEqual([...new Set(found)].toSorted((a, b) => a - b));
        expect(found.every((i) => values[i] !== NO_HASH)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('are few others among many, and all of them where all are the same', () => {
    const many = 300_000;
    // Different, and alike in their upper bits, in their lower bits, or in neither.
    const spread = Uint32Array.from({ length: many }, (_, i) => Math.imul(i + 1, 2_654_435_761));
    for (const hashes of [Uint32Array.from(spread.keys(), (i) => i + 1), spread]) {
      expect(mayBeRepeated(hashes).length).toBeLessThan(many / 100);
    }
    expect(mayBeRepeated(new Uint32Array(many).fill(LARGEST))).toHaveLength(many);
    expect(mayBeRepeated(new Uint32Array(many).fill(NO_HASH))).toHaveLength(0);
    expect(mayBeRepeated(new Uint32Array(0))).toHaveLength(0);
  });
});
