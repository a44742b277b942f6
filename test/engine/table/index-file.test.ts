import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { HeldMemory } from '../../../src/engine/table/held-memory';
import { IndexFile } from '../../../src/engine/table/index-file';
import { keyOf } from '../../../src/engine/table/index-layout';
import { type HashedRows, indexBytes } from '../../support/index-bytes';

const IDENTITY = '0123456789abcdef';
const folder = mkdtempSync(join(tmpdir(), 'tidegate-index-'));
const path = join(folder, 'an.idx');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Hashes are whole numbers from 1 to 2^53 - 1; few at the edges, many anywhere. */
const hash = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }) },
  { weight: 1, arbitrary: fc.constantFrom(1, 2, 31, 32, 2 ** 21 - 1, 2 ** 21, 2 ** 52, Number.MAX_SAFE_INTEGER) },
);
const section: fc.Arbitrary<HashedRows> = fc.array(hash, { maxLength: 80 }).map((hashes) => ({
  hashes: Float64Array.from(hashes).toSorted(),
  rows: Uint32Array.from(hashes, (_, row) => row * 3),
}));

const keyOfHash = (value: number): number => Math.floor(value / 32) + 1;

test('an index gives back every hash, to 48 bits, with its row, range by range', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(section, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 0, max: 8 }),
      async (sections, bits) => {
        writeFileSync(path, indexBytes(IDENTITY, 1000, sections));
        const index = (await IndexFile.open(path, IDENTITY, sections.length))!;
        expect(index.rows).toBe(1000);
        for (const [i, { hashes, rows }] of sections.entries()) {
          const read = index.sections[i]!;
          const keys: number[] = [];
          for (let range = 0; range < 2 ** bits; range++) {
            const { high, start } = await read.high(range, bits);
            const low = await read.low(range, bits);
            expect(start).toBe(keys.length);
            expect(read.size(range, bits)).toBe(high.length);
            for (const [j, upper] of high.entries()) {
              expect(Math.floor(upper / 2 ** (32 - bits))).toBe(range);
              keys.push(keyOf(upper, low[j]!));
            }
          }
          expect(keys).toEqual([...hashes].map(keyOfHash));
          expect([...(await read.rows())]).toEqual([...rows]);
          const some = Uint32Array.from(rows.keys()).filter((at) => at % 2 === 0);
          expect([...(await read.rowsAt(some))]).toEqual([...some].map((at) => rows[at]));
          expect([...(await read.lowsAt(some))]).toEqual([...some].map((at) => (keyOfHash(hashes[at]!) - 1) % 2 ** 16));
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('held in memory or read from disk, an index says the same', async () => {
  const rows = Uint32Array.from({ length: 50_000 }, (_, row) => row);
  const hashes = Float64Array.from(rows, (row) => 1 + row * 180_143_985_094);
  writeFileSync(path, indexBytes(IDENTITY, rows.length, [{ hashes, rows }]));
  const index = (await IndexFile.open(path, IDENTITY, 1))!;
  // Close together, and far apart: read at once, and one by one.
  const at = Uint32Array.of(0, 1, 5, 20_000, 49_999);
  const fromDisk = [await index.sections[0]!.rowsAt(at), await index.sections[0]!.lowsAt(at)];
  await index.hold(new HeldMemory());
  expect([await index.sections[0]!.rowsAt(at), await index.sections[0]!.lowsAt(at)]).toEqual(fromDisk);
  expect([...fromDisk[0]!]).toEqual([...at]);
});

test('what is not this index is none: it is then made anew', async () => {
  const bytes = indexBytes(IDENTITY, 2, [{ hashes: Float64Array.of(7, 9), rows: Uint32Array.of(1, 0) }]);
  const opened = async (change: () => void): Promise<IndexFile | null> => {
    writeFileSync(path, bytes);
    change();
    return IndexFile.open(path, IDENTITY, 1);
  };
  expect(await opened(() => {})).not.toBeNull();
  for (const size of [0, 5, bytes.length - 1]) expect(await opened(() => truncateSync(path, size))).toBeNull();
  expect(await opened(() => writeFileSync(path, Buffer.concat([bytes, Buffer.alloc(4)])))).toBeNull();
  expect(await opened(() => writeFileSync(path, Buffer.from(readFileSync(path).fill(0, 0, 8))))).toBeNull();
  expect(await IndexFile.open(path, 'fedcba9876543210', 1)).toBeNull();
  writeFileSync(path, bytes);
  expect(await IndexFile.open(path, IDENTITY, 2)).toBeNull();
  expect(await IndexFile.open(join(folder, 'none.idx'), IDENTITY, 1)).toBeNull();
});
