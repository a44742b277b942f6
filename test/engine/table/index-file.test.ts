import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { IndexFile } from '../../../src/engine/table/index-file';
import { keyOf } from '../../../src/engine/table/index-layout';
import { readPlanes } from '../../../src/engine/table/planes';
import { Arena, ReadRoom } from '../../../src/engine/table/read-memory';
import { indexBytes } from '../../support/index-bytes';

const IDENTITY = '0123456789abcdef';
const folder = mkdtempSync(join(tmpdir(), 'tidegate-index-'));
const path = join(folder, 'an.idx');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Hashes are whole numbers from 1 to 2^53 - 1; few at the edges, many anywhere. */
const hash = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }) },
  { weight: 1, arbitrary: fc.constantFrom(1, 2, 31, 32, 2 ** 21 - 1, 2 ** 21, 2 ** 52, Number.MAX_SAFE_INTEGER) },
);
const section = fc.array(fc.oneof({ weight: 9, arbitrary: hash }, fc.constant(0)), { maxLength: 80 });
/** Rows as they stand in a section: by the upper 8 of the 53 bits, then in order. */
const rowsOf = (hashes: readonly number[]): number[] => {
  const part = (row: number): number => Math.floor(hashes[row]! / 2 ** 45);
  return [...hashes.keys()].filter((row) => hashes[row] !== 0).toSorted((a, b) => part(a) - part(b) || a - b);
};

const keyOfHash = (value: number): number => Math.floor(value / 32) + 1;

test('an index gives back every hash, to 48 bits, with its row, range by range', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(section, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 0, max: 8 }),
      async (sections, bits) => {
        writeFileSync(
          path,
          indexBytes(
            IDENTITY,
            1000,
            sections.map((hashes) => Float64Array.from(hashes)),
          ),
        );
        const index = (await IndexFile.open(path, IDENTITY, sections.length))!;
        expect(index.rows).toBe(1000);
        const arena = new Arena();
        for (const [i, hashes] of sections.entries()) {
          const read = index.sections[i]!;
          const expected = rowsOf(hashes);
          const keys: number[] = [];
          const rows: number[] = [];
          for (let range = 0; range < 2 ** bits; range++) {
            const { high, start } = await read.high(range, bits);
            const low = await read.low(range, bits);
            expect(start).toBe(keys.length);
            expect(read.size(range, bits)).toBe(high.length);
            for (const [j, upper] of high.entries()) {
              expect(Math.floor(upper / 2 ** (32 - bits))).toBe(range);
              keys.push(keyOf(upper, low[j]!));
            }
            arena.clear(10 * high.length, 3);
            const planes = await readPlanes(read.planes(range, bits), arena);
            expect([...planes.high]).toEqual([...high]);
            expect([...planes.low]).toEqual([...low]);
            rows.push(...planes.rows);
          }
          expect(keys).toEqual(expected.map((row) => keyOfHash(hashes[row]!)));
          expect(rows).toEqual(expected);
          expect([...(await read.rows())]).toEqual(expected);
          const some = Uint32Array.from(expected.keys()).filter((at) => at % 2 === 0);
          expect([...(await read.rowsAt(some))]).toEqual([...some].map((at) => expected[at]));
          expect([...(await read.lowsAt(some))]).toEqual([...some].map((at) => (keys[at]! - 1) % 2 ** 16));
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('values close together are read at once, those far apart one by one', async () => {
  const hashes = Float64Array.from({ length: 50_000 }, (_, row) => 1 + row * 180_143_985_094);
  writeFileSync(path, indexBytes(IDENTITY, hashes.length, [hashes]));
  const read = (await IndexFile.open(path, IDENTITY, 1))!.sections[0]!;
  const at = Uint32Array.of(0, 1, 5, 20_000, 49_999);
  expect([...(await read.rowsAt(at))]).toEqual([...at]);
  expect([...(await read.lowsAt(at))]).toEqual([...at].map((row) => (keyOfHash(hashes[row]!) - 1) % 2 ** 16));
  expect(await read.opened(() => read.rowsAt(at))).toEqual(at);
});

test('an index that ends early says so', async () => {
  writeFileSync(path, indexBytes(IDENTITY, 2, [Float64Array.of(7, 9)]));
  const read = (await IndexFile.open(path, IDENTITY, 1))!.sections[0]!;
  truncateSync(path, 100);
  await expect(readPlanes(read.planes(0, 0), new ReadRoom())).rejects.toThrow(`${path} ended early`);
});

test('memory that is used again is as large as what is taken together, which stays apart', () => {
  const arena = new Arena();
  const held = new Set<ArrayBufferLike>();
  // Ranges of a hash, each a little longer than the one before.
  for (let more = 0; more < 20; more++) {
    const lengths = [10 + more, 50_000 + more, 3, 100_000 + more];
    arena.clear(
      lengths.reduce((sum, length) => sum + length, 0),
      lengths.length,
    );
    const taken = lengths.map((length, i) => arena.take(length).fill(i + 1));
    for (const [i, bytes] of taken.entries()) {
      expect(bytes).toHaveLength(lengths[i]!);
      expect(bytes.byteOffset % 8).toBe(0);
      expect(bytes.every((byte) => byte === i + 1)).toBe(true);
      held.add(bytes.buffer);
      expect(bytes.buffer.byteLength).toBeLessThan(165_000);
    }
  }
  expect(held.size).toBe(1);
});

test('what is not this index is none: it is then made anew', async () => {
  const bytes = indexBytes(IDENTITY, 2, [Float64Array.of(9, 7)]);
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
