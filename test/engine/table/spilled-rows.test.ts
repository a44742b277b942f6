import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { baseOf } from '../../../src/engine/positions';
import { RowBudget, SpilledRows } from '../../../src/engine/table/spilled-rows';

const folder = mkdtempSync(join(tmpdir(), 'tidegate-rows-'));
const path = join(folder, 'rows');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const additions = fc.array(
  fc.record({ partition: fc.integer({ min: 0, max: 3 }), rows: fc.array(fc.nat(1000), { maxLength: 6 }) }),
  { maxLength: 20 },
);

test('rows come back by partition, ascending, whatever was spilled, and however many add at once', async () => {
  await fc.assert(
    fc.asyncProperty(additions, fc.nat(20), async (added, budget) => {
      const rows = new SpilledRows(path, new RowBudget(budget));
      await Promise.all(added.map(({ partition, rows: some }) => rows.add(partition, Uint32Array.from(some))));
      const expected = [0, 1, 2, 3].map((partition) =>
        added.flatMap((one) => (one.partition === partition ? one.rows : [])).toSorted((a, b) => a - b),
      );
      expect(rows.partitions()).toEqual([0, 1, 2, 3].filter((partition) => expected[partition]!.length > 0));
      for (const [partition, all] of expected.entries()) {
        expect([...(await rows.rows(partition))]).toEqual(all);
        expect(rows.has(partition)).toBe(all.length > 0);
      }
      await rows.close();
      expect(existsSync(path)).toBe(false);
    }),
    { numRuns: 100 },
  );
});

test('positions are dealt to their partitions', async () => {
  const rows = new SpilledRows(path, new RowBudget(100));
  await rows.addPositions(Float64Array.of(baseOf(2) + 7, 5, baseOf(2), 1));
  expect([...(await rows.rows(0))]).toEqual([1, 5]);
  expect([...(await rows.rows(2))]).toEqual([0, 7]);
  await rows.close();
});
