import fc from 'fast-check';
import { both, difference, equal, has, minus, others, union } from '../../../src/engine/table/sorted-rows';

const sorted = fc.uniqueArray(fc.nat(50), { maxLength: 40 }).map((rows) => Uint32Array.from(rows).toSorted());

test('sets of rows are what sets are', () => {
  fc.assert(
    fc.property(sorted, sorted, (a, b) => {
      const [inA, inB] = [new Set(a), new Set(b)];
      const all = [...new Set([...a, ...b])].toSorted((x, y) => x - y);
      expect([...union(a, b)]).toEqual(all);
      expect([...minus(a, b)]).toEqual([...a].filter((row) => !inB.has(row)));
      expect([...both(a, b)]).toEqual([...a].filter((row) => inB.has(row)));
      expect([...difference(a, b)]).toEqual(all.filter((row) => inA.has(row) !== inB.has(row)));
      expect(equal(a, b)).toBe(a.join() === b.join());
      for (const row of [0, 25, 50]) expect(has(a, row)).toBe(inA.has(row));
      expect([...others(51, a, b)]).toEqual(
        Array.from({ length: 51 }, (_, row) => row).filter((row) => !inA.has(row) && !inB.has(row)),
      );
    }),
  );
});
