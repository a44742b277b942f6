import fc from 'fast-check';
import { lowerBound } from '../../src/engine/read-rows';

test('the first element that is at least a value is found, from wherever all before are smaller', () => {
  const numbers = fc.array(fc.nat(60), { maxLength: 80 }).map((some) => Uint32Array.from(some).toSorted());
  fc.assert(
    fc.property(numbers, fc.nat(62), fc.double({ min: 0, max: 1, noNaN: true }), (sorted, value, share) => {
      const at = [...sorted].filter((element) => element < value).length;
      expect(lowerBound(sorted, value)).toBe(at);
      expect(lowerBound(sorted, value, Math.floor(share * at))).toBe(at);
    }),
    { numRuns: 1000 },
  );
});
