import fc from 'fast-check';
import {
  addCounts,
  buildReport,
  checkConservation,
  countHeld,
  leftOut,
  mergeReports,
  parseReport,
  planWarnings,
  stalePartitions,
  sumCounts,
} from '../../src/quality';
import type { Scope } from '../../src/contract';
import type { Plan } from '../../src/discovery';
import { contract, countsOf, day, plan, results } from './fixtures';

const report = buildReport({ plan, planDigest: 'd', requestId: 'q', results });

test('a report lists partitions in plan order, with totals by gate in contract order', () => {
  expect(report.partitions.map(({ date, reason, files, bytes, read }) => [date, reason, files, bytes, read])).toEqual([
    ['2026-05-07', 'lookback', 1, 1500, 1200],
    ['2026-05-08', 'new', 1, 1500, 10],
  ]);
  expect(report.totals).toEqual(
    countsOf({
      read: 1210,
      superseded: 3,
      ambiguous: 1,
      quarantined: 2,
      published: 1205,
      misfiled: 4,
      violations: { primaryKey: 0, complete: 1, valid: 1 },
    }),
  );
  expect(report.gates).toEqual(['primaryKey', 'complete', 'valid']);
  expect(Object.keys(report.totals.violations)).toEqual(report.gates);
  expect(report.watermark).toEqual({ before: '2026-05-07', after: '2026-05-08' });
});

test('warnings name misfiled rows, ties, ignored entries, late partitions and stale ones', () => {
  const { warnings } = buildReport({ plan, planDigest: 'd', requestId: 'q', results, stale: [day('2026-05-01')] });
  expect(warnings).toEqual([
    "4 rows in 2026-05-07 carry another value in the stored column date than the folder says; the folder's date was used.",
    '1 primary key in 2026-05-08 has several newest rows that differ; the last one stored won. A further column in deduplicate.orderBy would settle them.',
    '1 entry under the source root belongs to no partition and was ignored (1 file, 12 B).',
    '1 partition older than the window holds data that is not published (2026-04-30). Take it with: tidegate backfill transactions --from 2026-04-30 --to 2026-04-30',
    '1 published partition still stands under earlier gates (2026-05-01). Restate with: tidegate backfill transactions --all',
  ]);
});

test.each(['gone: kept', 'held: gone'] as const)('what is stale and %s is not told to be restated', (reason) => {
  const stale = [day('2026-04-28'), day('2026-04-29')];
  const gone = { ...plan, left: [{ date: day('2026-04-29'), reason }, ...plan.left] };
  const { warnings } = buildReport({ plan: gone, planDigest: 'd', requestId: 'q', results, stale });
  expect(warnings.slice(-2)).toEqual([
    '1 published partition still stands under earlier gates (2026-04-28). Restate with: tidegate backfill transactions --all',
    '1 published partition still stands under earlier gates (2026-04-29). The raw files are gone: to restate, put them back first.',
  ]);
});

describe('a backfill of the stale partitions', () => {
  const scoped = (scope: Scope): Plan => ({
    ...plan,
    left: [],
    ignored: [],
    contract: { ...contract, deduplicate: { ...contract.deduplicate, scope } },
  });
  const restating = (scope: Scope): Plan => ({ ...scoped(scope), scope: { kind: 'backfill', select: 'stale' } });

  test.each(['table', 'partition'] as const)('is what restates them in scope %s', (scope) => {
    const stale = [day('2026-05-01')];
    const { warnings } = buildReport({ plan: scoped(scope), planDigest: 'd', requestId: 'q', results, stale });
    expect(warnings.at(-1)).toMatch(/Restate with: tidegate backfill transactions --stale$/);
    expect(planWarnings(restating(scope))).toEqual([]);
  });

  test('is warned of in scope window, where it resolves keys over these partitions alone', () => {
    const [warning] = planWarnings(restating('window'));
    expect(warning).toMatch(/the stale partitions alone.*tidegate backfill transactions --all$/);
    const { warnings } = buildReport({ plan: restating('window'), planDigest: 'd', requestId: 'q', results });
    expect(warnings).toContain(warning);
    expect(planWarnings({ ...restating('window'), partitions: [] })).toEqual([]);
    expect(planWarnings({ ...restating('window'), scope: { kind: 'backfill', select: 'all' } })).toEqual([]);
    expect(planWarnings(plan)).toEqual([]);
  });
});

test('removed partitions stand in the report with the rows they had, and are no longer stale', () => {
  const removing = { ...plan, removed: [{ date: day('2026-05-01'), reason: 'gone' as const }] };
  const published = new Map([
    [day('2026-05-01'), { counts: countsOf({ read: 9, superseded: 1, published: 1234, quarantined: 2 }) }],
  ]);
  const built = buildReport({ plan: removing, planDigest: 'd', requestId: 'q', results, published });
  expect(built.removed).toEqual([{ date: '2026-05-01', reason: 'gone', published: 1234, quarantined: 2 }]);
  expect(built.totals).toEqual(report.totals);
  expect(built.warnings[0]).toBe(
    '1 partition whose raw files are gone was removed from the table (2026-05-01): 1,234 published and 2 rejected rows.',
  );
  expect(parseReport(JSON.stringify(built), 'report.json')).toEqual(built);
  expect(stalePartitions(removing, [{ date: day('2026-05-01'), rowsDigest: 'earlier' }])).toEqual([]);
});

test('a report of an earlier release, which knows of no removal, removed nothing', () => {
  const { removed: _, ...earlier } = report;
  expect(parseReport(JSON.stringify(earlier), 'report.json')).toEqual(report);
});

const LEFT = [
  { date: day('2026-04-01'), reason: 'held: late' },
  { date: day('2026-04-02'), reason: 'held: late' },
  { date: day('2026-04-03'), reason: 'late: ignored' },
  { date: day('2026-04-04'), reason: 'gone: kept' },
  { date: day('2026-04-05'), reason: 'held: gone' },
  { date: day('2026-04-06'), reason: 'unchanged' },
  { date: day('2026-07-01'), reason: 'future' },
] as const;

test('what is held comes first, and each has the command that decides', () => {
  expect(leftOut('transactions', LEFT).map(({ what, held, command }) => [held, what, command])).toEqual([
    [
      true,
      '2 late partitions are held (2026-04-01 and 2026-04-02): new or changed, and older than the window',
      'tidegate run transactions --include-late',
    ],
    [
      true,
      '1 published partition whose raw files are gone is held (2026-04-05)',
      'tidegate run transactions --remove-gone',
    ],
    [
      false,
      '1 late partition is ignored (2026-04-03), as incremental.late says',
      'tidegate run transactions --include-late',
    ],
    [
      false,
      '1 published partition whose raw files are gone is kept (2026-04-04)',
      'tidegate run transactions --remove-gone',
    ],
    [
      false,
      '1 partition dated later than tomorrow (UTC) was left (2026-07-01); incremental.future: accept takes such partitions',
      null,
    ],
  ]);
  expect(countHeld(LEFT)).toBe(3);
  expect(leftOut('transactions', plan.left).map(({ command }) => command)).toEqual([
    'tidegate backfill transactions --from 2026-04-30 --to 2026-04-30',
  ]);
  expect(countHeld(plan.left)).toBe(0);
});

test('what waits for a decision is warned of, what the policy settles is not', () => {
  const { warnings } = buildReport({
    plan: { ...plan, ignored: [], left: LEFT, partitions: [] },
    planDigest: 'd',
    requestId: 'q',
    results: [],
  });
  expect(warnings.map((warning) => warning.slice(0, 30))).toEqual([
    '2 late partitions are held (20',
    '1 published partition whose ra',
    '1 partition dated later than t',
  ]);
  expect(warnings[0]).toMatch(/To decide: tidegate run transactions --include-late$/);
});

test('a partition without a result, or one too many, is refused', () => {
  const build = (given: typeof results) => () => buildReport({ plan, planDigest: 'd', requestId: 'q', results: given });
  expect(build(results.slice(1))).toThrow('the plan has 2 partitions, but there are 1 result for 1 date');
  expect(build([results[0]!, results[0]!])).toThrow('2 results for 1 date');
  expect(build([results[0]!, { ...results[1]!, date: day('2026-05-09') }])).toThrow(
    'partition 2026-05-07 is in the plan, but has no result',
  );
});

test('stale are the published partitions under other row rules that this plan does not rewrite', () => {
  const published = ['2026-05-08', '2026-05-02', '2026-05-01', '2026-05-03'].map((date) => ({
    date: day(date),
    rowsDigest: date === '2026-05-03' ? 'w' : 'earlier',
  }));
  expect(stalePartitions(plan, published)).toEqual(['2026-05-01', '2026-05-02']);
});

test('rows that are lost or doubled are refused with the numbers', () => {
  const good = countsOf({ read: 10, superseded: 3, quarantined: 2, published: 5 });
  expect(() => checkConservation('partition 2026-05-01', good)).not.toThrow();
  expect(() => checkConservation('partition 2026-05-01', { ...good, published: 4 })).toThrow(
    'partition 2026-05-01: 10 rows were read, but 3 superseded + 2 quarantined + 4 published = 9: 1 missing.',
  );
  expect(() => checkConservation('all', { ...good, published: 7 })).toThrow('= 12: 2 too many.');
});

test('for any counts, a sum conserves what its parts conserve, in any order', () => {
  const gates = ['primaryKey', 'a', '__proto__', '7'];
  const count = fc.nat(1_000_000);
  const parts = fc.record({
    superseded: count,
    quarantined: count,
    published: count,
    ambiguous: count,
    flags: fc.tuple(count, count, count, count),
  });
  const toCounts = ({
    superseded,
    quarantined,
    published,
    ambiguous,
    flags,
  }: typeof parts extends fc.Arbitrary<infer T> ? T : never) =>
    countsOf({
      read: superseded + quarantined + published,
      superseded,
      quarantined,
      published,
      ambiguous,
      violations: Object.fromEntries(gates.map((gate, index) => [gate, flags[index]!])),
    });
  fc.assert(
    fc.property(fc.array(parts.map(toCounts)), (all) => {
      const sum = sumCounts(gates, all);
      expect(() => checkConservation('sum', sum)).not.toThrow();
      expect(sumCounts(gates, all.toReversed())).toEqual(sum);
      expect(Object.entries(sum.violations).find(([gate]) => gate === '__proto__')?.[1]).toBe(
        all.reduce(
          (total, { violations }) => total + Object.entries(violations).find(([gate]) => gate === '__proto__')![1],
          0,
        ),
      );
    }),
  );
});

test('adding counts keeps gates that only one of them has', () => {
  const a = countsOf({ violations: { primaryKey: 1, complete: 2 } });
  const b = countsOf({ violations: { primaryKey: 1, valid: 3 } });
  expect(addCounts(a, b).violations).toEqual({ primaryKey: 2, complete: 2, valid: 3 });
});

test('a report read back is the report that was written', () => {
  const published = {
    ...report,
    commit: { version: 4, path: '/data/curated/snapshots/00000004' },
    stale: [day('2026-05-01')],
  };
  expect(parseReport(JSON.stringify(published), 'report.json')).toEqual(published);
});

test.each([
  ['{', 'report.json is not JSON'],
  [
    JSON.stringify({ ...report, formatVersion: 2 }),
    'report.json is not a report of format version 1: at formatVersion',
  ],
  [JSON.stringify({ ...report, stale: ['2026-02-30'] }), 'at stale.0'],
  [JSON.stringify({ ...report, totals: { ...report.totals, read: -1 } }), 'at totals.read'],
])('a damaged report is refused, saying where: %.20s', (text, message) => {
  expect(() => parseReport(text, 'report.json')).toThrow(message);
});

test('reports of chunks merge into one document of the same keys', () => {
  const chunk = (from: string, to: string, version: number) => ({
    ...report,
    kind: 'backfill' as const,
    scope: { kind: 'backfill' as const, from: day(from), to: day(to) },
    partitions: report.partitions.filter(({ date }) => date === to),
    commit: { version, path: `/v/${version}` },
  });
  const merged = mergeReports([chunk('2026-05-06', '2026-05-07', 4), chunk('2026-05-08', '2026-05-08', 5)]);
  expect(Object.keys(merged)).toEqual(Object.keys(report));
  expect(merged.scope).toEqual({ kind: 'backfill', from: '2026-05-06', to: '2026-05-08' });
  expect(merged.totals).toEqual(report.totals);
  expect(merged.commit?.version).toBe(5);
  expect(merged.left.map(({ date }) => date)).toEqual(report.left.map(({ date }) => date));
});
