import fc from 'fast-check';
import { dealHashes, fencesOf } from '../../../src/engine/table/deal-hashes';
import { type Planes, fenceOf, keyOf } from '../../../src/engine/table/index-layout';

const MOST = Number.MAX_SAFE_INTEGER;
const hash = fc.oneof(fc.integer({ min: 1, max: MOST }), fc.constantFrom(0, 0, 1, 2, 31, 32, 2 ** 21, 2 ** 52, MOST));
const keyOfHash = (value: number): number => Math.floor(value / 32) + 1;
/** The upper 8 of 53 bits. */
const partOf = (value: number): number => Math.floor(value / 2 ** 45);

/** Room that holds anything. */
const planesOf = (count: number): Planes => ({
  high: new Uint32Array(count).fill(7),
  low: new Uint16Array(count).fill(7),
  rows: new Uint32Array(count).fill(7),
});

function dealt(hashes: readonly number[]) {
  const all = Float64Array.from(hashes);
  const fences = fencesOf(all);
  const planes = planesOf(fences.at(-1)!);
  dealHashes(all, fences, planes);
  return { fences, planes };
}

/** By part of the hash, then by row. */
const expected = (hashes: readonly number[]) =>
  [...hashes.keys()]
    .filter((row) => hashes[row] !== 0)
    .toSorted((a, b) => partOf(hashes[a]!) - partOf(hashes[b]!) || a - b);

function check(hashes: readonly number[]): void {
  const { fences, planes } = dealt(hashes);
  const rows = expected(hashes);
  expect([...planes.rows]).toEqual(rows);
  expect([...planes.high].map((high, i) => keyOf(high, planes.low[i]!))).toEqual(
    rows.map((row) => keyOfHash(hashes[row]!)),
  );
  const parts = [...planes.high].map(fenceOf);
  expect(parts).toEqual(rows.map((row) => partOf(hashes[row]!)));
  expect([...fences]).toEqual(Array.from({ length: 257 }, (_, part) => parts.filter((own) => own < part).length));
}

test('rows are dealt out by the upper bits of their hash, and stay in order; those without one are left out', () => {
  fc.assert(fc.property(fc.array(hash, { maxLength: 300 }), check), { numRuns: 200 });
});

test('hashes that are not spread at all are dealt out too', () => {
  check(Array.from({ length: 5000 }, (_, i) => (5000 - i) * 32));
  check(Array.from({ length: 5000 }, () => 7));
});

test('more rows than are dealt out at a time', () => {
  check(Array.from({ length: 50_000 }, (_, i) => (i * 7_919_777_777_777) % MOST));
});
