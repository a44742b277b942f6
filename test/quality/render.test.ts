import { createColors } from 'picocolors';
import {
  PLAIN,
  buildReport,
  discoveryOfPlan,
  formatBytes,
  renderDiscovery,
  renderFitting,
  renderQuality,
  renderReport,
  safeBlock,
  safeText,
} from '../../src/quality';
import { addDays } from '../../src/discovery';
import { countsOf, day, plan, results } from './fixtures';

const report = {
  ...buildReport({ plan, planDigest: 'd', requestId: 'q', results }),
  commit: { version: 4, path: '/data/curated/snapshots/00000004' },
  warnings: ['something'],
};

test('a run ends with discovery, quality report and record summary', () => {
  expect(`\n${renderReport(report, PLAIN)}`).toBe(`
Partition discovery  transactions, incremental, watermark 2026-05-07, window from 2026-05-04 on
┌─────────────────────────────┬──────────┬─────────────────┬───────┬───────┬────────┐
│ date                        │ selected │ reason          │ files │  rows │  bytes │
├─────────────────────────────┼──────────┼─────────────────┼───────┼───────┼────────┤
│ 2026-04-30                  │ no       │ late: not taken │       │       │        │
│ 2026-05-01 … 2026-05-04 (4) │ no       │ unchanged       │       │       │        │
│ 2026-05-07                  │ yes      │ lookback        │     1 │ 1,200 │ 1.5 kB │
│ 2026-05-08                  │ yes      │ new             │     1 │    10 │ 1.5 kB │
├─────────────────────────────┼──────────┼─────────────────┼───────┼───────┼────────┤
│ total                       │ 2 of 7   │                 │     2 │ 1,210 │ 3.0 kB │
└─────────────────────────────┴──────────┴─────────────────┴───────┴───────┴────────┘
  2026-04-30  late: not taken: tidegate backfill transactions --from 2026-04-30 --to 2026-04-30
Ignored, 1 entry:
  date=..\\u{1b}[31m  not a date (1 file, 12 B)

Quality report  rows that violate each gate, by partition date
┌────────────┬────────────┬──────────┬───────┬──────────┐
│ date       │ primaryKey │ complete │ valid │ rejected │
├────────────┼────────────┼──────────┼───────┼──────────┤
│ 2026-05-07 │          0 │        0 │     0 │        0 │
│ 2026-05-08 │          0 │        1 │     1 │        2 │
├────────────┼────────────┼──────────┼───────┼──────────┤
│ total      │          0 │        1 │     1 │        2 │
└────────────┴────────────┴──────────┴───────┴──────────┘

Record summary
  read        1,210
  superseded      3  lost to a newer version of their primary key
  after dedup 1,207
  passed      1,205  published
  rejected        2  in quarantine, with the gates they violate
  ambiguous       1  primary keys whose newest rows tie and differ
  misfiled        4  rows whose stored date is not their folder’s

Published as version 4: /data/curated/snapshots/00000004
Watermark 2026-05-07 → 2026-05-08
warning: something`);
});

test('a plan and the report of its run show the same discovery', () => {
  const [discovery] = renderReport(report, PLAIN).split('\n\n');
  expect(renderDiscovery(discoveryOfPlan(plan), PLAIN)).toBe(discovery);
});

test('removed partitions, coupled ones and the decisions of the request are shown', () => {
  const coupled = { ...plan.partitions[0]!, reason: 'coupled' as const, keys: 1200 };
  const text = renderDiscovery(
    discoveryOfPlan({
      ...plan,
      scope: { kind: 'incremental', includeLate: 'all', removeGone: [day('2026-04-29')] },
      partitions: [coupled, plan.partitions[1]!],
      removed: [{ date: day('2026-04-29'), reason: 'gone' }],
      left: [],
      ignored: [],
    }),
    PLAIN,
  );
  expect(`\n${text}`).toBe(`
Partition discovery  transactions, incremental, late included, gone removed (2026-04-29), watermark 2026-05-07, window from 2026-05-04 on
┌────────────┬──────────┬──────────────────────┬───────┬───────┬────────┐
│ date       │ selected │ reason               │ files │  rows │  bytes │
├────────────┼──────────┼──────────────────────┼───────┼───────┼────────┤
│ 2026-04-29 │ removed  │ gone                 │       │       │        │
│ 2026-05-07 │ yes      │ coupled (1,200 keys) │     1 │ 1,200 │ 1.5 kB │
│ 2026-05-08 │ yes      │ new                  │     1 │    10 │ 1.5 kB │
├────────────┼──────────┼──────────────────────┼───────┼───────┼────────┤
│ total      │ 2 of 3   │                      │     2 │ 1,210 │ 3.0 kB │
└────────────┴──────────┴──────────────────────┴───────┴───────┴────────┘`);
});

test('a run that selected nothing says so and shows no empty tables', () => {
  const nothing = {
    ...report,
    partitions: [],
    totals: countsOf({}),
    commit: null,
    watermark: { before: null, after: null },
    warnings: [],
  };
  const text = renderReport(nothing, PLAIN);
  expect(text).toContain('Nothing to publish: no commit was made.\nWatermark none (unchanged)');
  expect(text).not.toContain('Quality report');
});

test('a source without partitions says so', () => {
  const empty = { ...discoveryOfPlan(plan), partitions: [], left: [], ignored: [], watermark: null };
  expect(renderDiscovery(empty, PLAIN)).toBe(
    'Partition discovery  transactions, incremental, no watermark yet: everything from the start\nNo partitions in the source.',
  );
});

test('a report too wide for the console lists violated gates line by line', () => {
  expect(`\n${renderQuality(report, { ...PLAIN, width: 40 })}`).toBe(`
Quality report  rows that violate each gate, by partition date
┌────────────┬──────────┬──────┐
│ date       │ gate     │ rows │
├────────────┼──────────┼──────┤
│ 2026-05-08 │ complete │    1 │
│ 2026-05-08 │ valid    │    1 │
│ total      │ complete │    1 │
│ total      │ valid    │    1 │
├────────────┼──────────┼──────┤
│ total      │ rejected │    2 │
└────────────┴──────────┴──────┘`);
});

test('a long report folds clean neighbours, and never a partition with rejected rows', () => {
  const partitions = Array.from({ length: 100 }, (_, index) => ({
    ...report.partitions[0]!,
    ...countsOf({ read: 5, published: 5 }),
    date: addDays(day('2026-01-01'), index),
  }));
  partitions[50] = {
    ...partitions[50]!,
    ...countsOf({ read: 5, published: 4, quarantined: 1, violations: { primaryKey: 0, complete: 1, valid: 0 } }),
  };
  const rows = renderQuality({ ...report, partitions }, PLAIN)
    .split('\n')
    .filter((line) => line.includes('2026-'));
  expect(rows.map((row) => row.split('│')[1]!.trim())).toEqual([
    '2026-01-01 … 2026-02-19 (50)',
    '2026-02-20',
    '2026-02-21 … 2026-04-10 (49)',
  ]);
});

test('colours appear only when the style has them', () => {
  // oxlint-disable-next-line no-control-regex -- escape sequences are what it looks for
  const escapes = /\u001b\[/;
  expect(renderReport(report, PLAIN)).not.toMatch(escapes);
  expect(renderReport(report, { colors: createColors(true), width: 200 })).toMatch(escapes);
});

test('one column of a table too wide is cut short', () => {
  const table = {
    head: ['n', 'request'],
    numeric: new Set([0]),
    rows: [['1', 'a-very-long-request-id-from-somewhere']],
  };
  const text = renderFitting(table, { ...PLAIN, width: 30 }, 1);
  expect(text.split('\n')[3]).toBe('│ 1 │ a-very-long-request-i… │');
  expect(renderFitting(table, PLAIN, 1)).toContain('a-very-long-request-id-from-somewhere');
});

test('what a terminal would act on is shown instead', () => {
  expect(safeText('a\u001b]0;x\u0007b\nc\u202ed\u2028e\ud800f\u009bg é 日本 🎉')).toBe(
    'a\\u{1b}]0;x\\u{7}b\\u{a}c\\u{202e}d\\u{2028}e\\u{d800}f\\u{9b}g é 日本 🎉',
  );
  expect(safeBlock('a\u001b\nb')).toBe('a\\u{1b}\nb');
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [999_949, '999.9 kB'],
  [999_951, '1.0 MB'],
  [31_500_000_000, '31.5 GB'],
])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));
