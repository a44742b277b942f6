import { join } from 'node:path';
import { Zone } from '../support/bad-zone';
import { Installation } from '../support/installation';
import { writeFiles } from '../support/oracle';
import { type Row, readRows } from '../support/read-table';

/**
 * Rows that no rule likes: they are counted, quarantined with their reasons or superseded, never
 * lost. Every table is held against an independent computation, and the version before stays whole.
 */
let it_: Installation;

beforeAll(async () => {
  it_ = await Installation.create();
  await it_.worker({ TIDEGATE_ACTIVITY_ATTEMPTS: '2' });
}, 180_000);
afterAll(async () => {
  await it_?.dispose();
});

const DAY = '2026-05-02';

interface Rows {
  readonly [column: string]: readonly (string | null)[];
}
const TYPES: Readonly<Record<string, string>> = {
  transaction_id: 'string',
  user_id: 'string',
  transaction_receipt: 'string',
  amount: 'float64',
  updated_at: 'timestamp[ms]',
};

let files = 0;
/** Writes a file of rows: transaction ids as given, everything else fine unless it is given too. */
async function write(
  zone: Zone,
  date: string,
  name: string,
  rows: Rows & { transaction_id: Rows[string] },
): Promise<void> {
  files += 1;
  const plain: Rows = {
    user_id: rows.transaction_id.map(() => 'user'),
    transaction_receipt: rows.transaction_id.map((_, row) => `receipt-${files}-${row}`),
    amount: rows.transaction_id.map((_, row) => String(row + 1)),
    updated_at: rows.transaction_id.map(() => '1000'),
    ...rows,
  };
  const columns = Object.entries(TYPES).map(([column, type]) => [column, type, plain[column]!] as const);
  await writeFiles([{ path: join(zone.raw, `date=${date}`, name), columns }]);
}

/** Publishes what lies there now; the version before stays, byte for byte, for those who pinned it. */
async function publishes(zone: Zone, totals: object): Promise<ReturnType<Zone['look']>> {
  const before = zone.look();
  const summary = await zone.publishesEverything();
  expect(summary.totals).toMatchObject(totals);
  expect(readRows(before.path, 'curated')).toEqual(before.curated);
  expect(readRows(before.path, 'quarantine')).toEqual(before.quarantine);
  return zone.look();
}

test('rows without a primary key are quarantined with every reason, and published once they have one', async () => {
  const zone = await Zone.published(it_, 'null-keys');
  const rows = { transaction_receipt: ['a', 'same', 'same', 'd'], amount: ['1', '2', '-3', '4'] };
  await write(zone, DAY, 'part-0.parquet', { transaction_id: ['k1', null, null, 'k2'], ...rows });
  const { quarantine } = await publishes(zone, {
    read: 7,
    superseded: 0,
    quarantined: 2,
    published: 5,
    violations: { primaryKey: 2, inRange_amount: 1, unique_transaction_receipt: 0 },
  });
  expect(quarantine.map((row) => [row['_violations'], row['_source_file'], row['_source_row']])).toEqual([
    [['primaryKey'], `date=${DAY}/part-0.parquet`, 1],
    [['primaryKey', 'inRange_amount'], `date=${DAY}/part-0.parquet`, 2],
  ]);

  const mended = { ...rows, transaction_receipt: ['a', 'b', 'c', 'd'], amount: ['1', '2', '3', '4'] };
  await write(zone, DAY, 'part-0.parquet', { transaction_id: ['k1', 'k3', 'k4', 'k2'], ...mended });
  await publishes(zone, { read: 7, quarantined: 0, published: 7 });
});

test('a key repeated in one file keeps its newest row, and the last one written of those that tie', async () => {
  const zone = await Zone.published(it_, 'repeated-keys');
  await write(zone, DAY, 'part-0.parquet', {
    transaction_id: ['newest', 'newest', 'tie', 'tie', 'twin', 'twin', 'tgood-0'],
    updated_at: ['2000', '1000', '1000', '1000', '1000', '1000', '-1'],
    amount: ['10', '11', '20', '21', '30', '30', '40'],
    transaction_receipt: ['a', 'b', 'c', 'd', 'e', 'e', 'f'],
  });
  const { curated } = await publishes(zone, { read: 10, superseded: 4, ambiguous: 1, quarantined: 0, published: 6 });
  expect(amounts(curated, DAY)).toEqual([10, 21, 30]);
});

test('rows that tie in their whole ordering are settled by path, then row, over files and partitions', async () => {
  const zone = await Zone.published(it_, 'ties');
  await write(zone, DAY, 'b.parquet', { transaction_id: ['k', 'k'], amount: ['3', '4'] });
  await write(zone, DAY, 'a.parquet', { transaction_id: ['k', 'over'], amount: ['1', '2'] });
  await write(zone, '2026-05-03', 'a.parquet', { transaction_id: ['over'], amount: ['5'] });
  const { curated } = await publishes(zone, { read: 8, superseded: 3, ambiguous: 2, published: 5 });
  expect(amounts(curated, DAY)).toEqual([4]);
  expect(amounts(curated, '2026-05-03')).toEqual([5]);
});

test('a null in the ordering loses to any value, and the last row wins where all are null', async () => {
  const zone = await Zone.published(it_, 'null-order');
  await write(zone, DAY, 'part-0.parquet', {
    transaction_id: ['some', 'some', 'none', 'none', 'alone'],
    updated_at: ['-5', null, null, null, null],
    amount: ['1', '2', '3', '4', '5'],
  });
  const { curated } = await publishes(zone, { read: 8, superseded: 2, ambiguous: 1, quarantined: 0, published: 6 });
  expect(amounts(curated, DAY)).toEqual([1, 4, 5]);
});

test('a NaN in the ordering loses to any number, infinities are numbers', async () => {
  const zone = await Zone.published(it_, 'nan-order');
  const byAmount = (yaml: string) => yaml.replace('orderBy: [updated_at]', 'orderBy: [amount]');
  zone.contract({}, byAmount);
  await write(zone, DAY, 'part-0.parquet', {
    transaction_id: ['a', 'a', 'b', 'b', 'b', 'c', 'c', 'd', 'd'],
    amount: ['0.5', 'nan', '1', 'inf', 'nan', 'nan', null, '-inf', 'nan'],
  });
  // Another ordering makes another table, so the whole of it is restated.
  await (await it_.start('backfill', { pipeline: 'nan-order', select: 'all' })).result();
  const { curated, quarantine } = await publishes(zone, { read: 12, superseded: 5, quarantined: 1, published: 6 });
  expect(amounts(curated, DAY)).toEqual([0.5, Infinity, null]);
  expect(amounts(quarantine, DAY)).toEqual([-Infinity]);
});

test.each(['window', 'partition'] as const)(
  'NaN and infinite amounts: NaN is out of range, infinities compare as numbers (scope %s)',
  async (scope) => {
    const zone = await Zone.published(it_, `amounts-${scope}`, { scope });
    const amount = ['nan', 'inf', '-inf', '-0.0', '0.0', '5e-324', '1.7976931348623157e308', null];
    await write(zone, DAY, 'part-0.parquet', { transaction_id: amount.map((_, row) => `k${row}`), amount });
    const { curated, quarantine } = await publishes(zone, {
      read: 11,
      published: 7,
      quarantined: 4,
      violations: { inRange_amount: 4 },
    });
    expect(amounts(curated, DAY)).toEqual([Infinity, 5e-324, Number.MAX_VALUE, null]);
    expect(amounts(quarantine, DAY)).toEqual([NaN, -Infinity, -0, 0]);

    await write(zone, DAY, 'part-0.parquet', { transaction_id: amount.map((_, row) => `k${row}`) });
    await publishes(zone, { read: 11, quarantined: 0, published: 11 });
  },
);

function amounts(rows: readonly Row[], date: string): unknown[] {
  return rows.filter((row) => row['date'] === date).map((row) => row['amount']);
}
