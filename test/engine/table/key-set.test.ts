import fc from 'fast-check';
import { KeySet } from '../../../src/engine/table/key-set';

/** Many with the same lower bits, which meet in the set. */
const key = fc.tuple(fc.nat(3), fc.nat(2)).map(([upper, lower]) => upper * 2 ** 40 + lower * 64 + 1);

test('a set of keys holds what was added, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(fc.array(key, { maxLength: 10 }), { maxLength: 3 }), fc.array(key), (added, asked) => {
      const set = new KeySet(added.flat().length);
      for (const keys of added) set.add(Float64Array.from(keys));
      const all = new Set(added.flat());
      expect(set.isEmpty).toBe(all.size === 0);
      for (const some of [...all, ...asked]) expect(set.has(some)).toBe(all.has(some));
    }),
  );
});
