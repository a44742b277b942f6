import { join } from 'node:path';
import fc from 'fast-check';
import { oracles } from '../support/oracle';
import { batchOfFiles, rulesFor } from './support/arbitrary-history';
import { laboratory } from './support/check-histories';
import { COLUMNS, DAYS, FILES, type Line, type Rules, contractOf } from './support/history';
import type { ManifestEntry } from './support/sql-oracle';

const ZONES = 40;
const PLAIN: Rules = {
  key: ['id'],
  orderBy: [{ column: 'updated', direction: 'desc' }],
  scope: 'table',
  lookback: 0,
  reprocess: 'changed',
  gone: 'remove',
  memory: 1024 ** 3,
  gates: [],
};

const lab = laboratory();

/** What the oracle says of two partitions with a file each. */
async function expected(rules: Partial<Rules>, first: readonly Line[], second: readonly Line[]) {
  return lab.within(async (folder) => {
    const manifest = [first, second].map((_, day): ManifestEntry => [DAYS[day]!, `date=${DAYS[day]}/a.parquet`, day]);
    await lab.oracle.write(
      [first, second].map((rows, version) => ({
        version,
        path: join(folder, `${version}.parquet`),
        writer: 'pyarrow',
        columns: COLUMNS,
        rows,
      })),
    );
    return lab.oracle.expect(contractOf({ format: 'directory', rules: { ...PLAIN, ...rules } }, folder), manifest);
  });
}

const ids = (rows: readonly (readonly unknown[])[]): string[] =>
  rows.map(([day, id, , updated]) => [day, id, updated].join(' '));

describe('the oracle in SQL', () => {
  test('lets the greatest ordering value win over the table, the later path in a tie, and null and NaN lose', async () => {
    const { curated, counts } = await expected(
      {},
      [
        ['1', null, '2', null, null, null],
        ['2', null, '1', null, null, null],
        ['3', null, 'nan', null, null, null],
      ],
      [
        ['1', null, '1', null, null, null],
        ['2', null, '1', null, '5', null],
        ['3', null, '0', null, null, null],
      ],
    );
    expect(ids(curated)).toEqual(['2026-03-01 1 2.0', '2026-03-02 2 1.0', '2026-03-02 3 0.0']);
    expect(counts['2026-03-01']).toMatchObject({ read: 3, superseded: 2, ambiguous: 0, published: 1 });
    expect(counts['2026-03-02']).toMatchObject({ read: 3, superseded: 1, ambiguous: 1, published: 2 });
  });

  test('resolves within a partition where the contract says so', async () => {
    const row: Line = ['1', null, '1', null, null, null];
    expect(ids((await expected({ scope: 'partition' }, [row], [row])).curated)).toHaveLength(2);
  });

  test('quarantines rows without a key, and counts winners only for unique gates', async () => {
    const { quarantine } = await expected(
      { gates: ['receipt', 'positive'] },
      [
        ['1', null, '1', null, '1', 'a'],
        [null, null, '1', null, '-1', 'b'],
      ],
      [
        ['1', null, '2', null, '1', 'b'],
        ['2', null, '1', null, 'nan', 'b'],
      ],
    );
    expect(quarantine.map((row) => [row[1], row[7], row[9]])).toEqual([
      [null, ['primaryKey', 'positive'], '1'],
      ['1', ['receipt'], '0'],
      ['2', ['receipt', 'positive'], '1'],
    ]);
  });

  test('agrees with the oracle in Python, which goes row by row', async () => {
    await lab.within(async (folder) => {
      const given = fc.record({ rules: rulesFor('partition', 'table'), files: batchOfFiles });
      const seed = Number(process.env['TIDEGATE_TEST_SEED'] ?? Date.now() % 2 ** 31);
      const zones = fc.sample(given, { numRuns: ZONES, seed }).map(({ rules, files }, zone) => ({
        contract: contractOf({ format: 'directory', rules }, join(folder, String(zone))),
        files: files.map(({ day, file, content }, index) => ({
          path: `date=${DAYS[day]}/${FILES[file]}`,
          date: DAYS[day]!,
          version: zone * 100 + index,
          lines: content.lines,
        })),
      }));
      for (const { contract, files } of zones) {
        await lab.oracle.write(
          files.map(({ path, version, lines }) => ({
            version,
            path: join(contract.source.path, path),
            writer: version % 2 === 0 ? 'duckdb' : 'pyarrow',
            columns: COLUMNS,
            rows: lines,
          })),
        );
      }
      const rowByRow = await oracles(zones.map(({ contract }) => ({ contract })));
      for (const [zone, { contract, files }] of zones.entries()) {
        const manifest = files.map(({ date, path, version }): ManifestEntry => [date, path, version]);
        const { curated, quarantine, counts } = await lab.oracle.expect(contract, manifest);
        try {
          expect({ curated, quarantine, counts }).toEqual(rowByRow[zone]);
        } catch (error) {
          throw new Error(`zone ${zone} of TIDEGATE_TEST_SEED=${seed}`, { cause: error });
        }
      }
    });
  });
});
