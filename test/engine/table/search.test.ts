import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { IndexFile, type Section } from '../../../src/engine/table/index-file';
import { indexBytes } from '../../support/index-bytes';
import { keyedRows } from '../../../src/engine/table/keyed-rows';
import { SearchMemory, search } from '../../../src/engine/table/search';

const IDENTITY = '0123456789abcdef';
const folder = mkdtempSync(join(tmpdir(), 'tidegate-search-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
/** Of one search after another. */
const memory = new SearchMemory();

/** Hashes that collide often, in all of them or in the upper bits alone. */
const hash = fc
  .tuple(fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1), fc.nat(2), fc.nat(1))
  .map(([high, low, rest]) => high * 2 ** 21 + low * 32 + rest + (high + low + rest === 0 ? 1 : 0));
const rowsOfPart = fc.array(hash, { maxLength: 8 });
const keyOfHash = (value: number): number => Math.floor(value / 32) + 1;

/** The section of rows whose hashes are these. */
async function sectionOf(hashes: readonly number[]): Promise<Section> {
  const path = join(folder, `${files++}.idx`);
  writeFileSync(path, indexBytes(IDENTITY, hashes.length, [Float64Array.from(hashes)]));
  return (await IndexFile.open(path, IDENTITY, 1))!.sections[0]!;
}

test('a search finds what looking at every row finds', async () => {
  const scene = fc.record({
    parts: fc.array(fc.record({ hashes: rowsOfPart, whole: fc.boolean(), without: fc.array(fc.nat(7)) }), {
      maxLength: 5,
    }),
    replaced: fc.array(rowsOfPart, { maxLength: 2 }),
    keys: fc.array(hash.map(keyOfHash), { maxLength: 3 }),
    indexBytes: fc.constantFrom(1, 40, 1000),
    hashesAtATime: fc.constantFrom(1, 4, 1000),
    hashesRead: fc.constantFrom(1, 16, 1000),
  });
  await fc.assert(
    fc.asyncProperty(scene, async ({ parts, replaced, keys, indexBytes: bytes, hashesAtATime, hashesRead }) => {
      const sections = await Promise.all(parts.map(({ hashes }) => sectionOf(hashes)));
      const touched = {
        sections: [...sections.filter((_, i) => parts[i]!.whole), ...(await Promise.all(replaced.map(sectionOf)))],
        keys: Float64Array.from(keys),
      };
      const found = { touched: parts.map((): number[] => []), repeated: parts.map((): number[] => []) };
      await search({
        parts: sections.map((section, partition) => ({ partition, section, whole: parts[partition]!.whole })),
        touched,
        indexBytes: bytes,
        hashesAtATime,
        hashesRead,
        memory,
        without: async (partition) => Uint32Array.from(new Set(parts[partition]!.without)).toSorted(),
        onTouched: async (partition, rows) => void found.touched[partition]!.push(...rows),
        onRepeated: async (partition, rows) => void found.repeated[partition]!.push(...rows),
      });

      const changed = new Set([
        ...keys,
        ...[...parts.filter(({ whole }) => whole).map(({ hashes }) => hashes), ...replaced].flat().map(keyOfHash),
      ]);
      const inPlay = parts.map(({ hashes, whole }) =>
        [...hashes.keys()].filter((row) => whole || changed.has(keyOfHash(hashes[row]!))),
      );
      const counting = inPlay.map((rows, i) => rows.filter((row) => !parts[i]!.without.includes(row)));
      const times = new Map<number, number>();
      for (const [i, rows] of counting.entries()) {
        for (const row of rows) {
          const key = keyOfHash(parts[i]!.hashes[row]!);
          times.set(key, (times.get(key) ?? 0) + 1);
        }
      }
      const ascending = (rows: readonly number[]): number[] => rows.toSorted((a, b) => a - b);
      expect(found.touched.map(ascending)).toEqual(inPlay.map((rows, i) => (parts[i]!.whole ? [] : rows)));
      expect(found.repeated.map(ascending)).toEqual(
        counting.map((rows, i) => rows.filter((row) => times.get(keyOfHash(parts[i]!.hashes[row]!))! > 1)),
      );
    }),
    { numRuns: 150 },
  );
});

test('the hashes of some rows of a section', async () => {
  await fc.assert(
    fc.asyncProperty(rowsOfPart, fc.array(fc.nat(7)), async (hashes, out) => {
      const section = await sectionOf(hashes);
      const some = Uint32Array.from(new Set(out)).toSorted();
      const asked = some.filter((row) => row < hashes.length);
      const { rows, keys } = await keyedRows(section, some);
      expect([...rows].toSorted((a, b) => a - b)).toEqual([...asked]);
      expect([...keys]).toEqual([...rows].map((row) => keyOfHash(hashes[row]!)));
    }),
    { numRuns: 100 },
  );
});
