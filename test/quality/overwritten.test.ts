import {
  PLAIN,
  buildReport,
  mergeReports,
  overwrittenWarnings,
  parseReport,
  renderReport,
  withOverwritten,
  type OverwrittenPartition,
} from '../../src/quality';
import { day, plan, results } from './fixtures';

const report = buildReport({ plan, planDigest: 'd', requestId: 'q', results });
const added: OverwrittenPartition = {
  table: 'curated',
  date: day('2026-05-07'),
  added: { files: 2, rows: 1200 },
  removed: { files: 0, rows: 0 },
  commits: [{ version: 1041, operation: 'WRITE', engine: 'Apache-Spark/4.1' }],
};
const removed: OverwrittenPartition = {
  table: 'curated',
  date: day('2026-05-08'),
  added: { files: 0, rows: 0 },
  removed: { files: 1, rows: 8 },
  commits: [
    { version: 1040, operation: 'DELETE', engine: null },
    { version: 1041, operation: 'WRITE', engine: 'Apache-Spark/4.1' },
  ],
};
const quarantine: OverwrittenPartition = {
  ...added,
  table: 'quarantine',
  added: { files: 1, rows: null },
  commits: [{ version: 3, operation: null, engine: null }],
};

test('a report warns first of what its commit overwrote, table by table, and is read back as it was written', () => {
  const told = withOverwritten(report, [added, removed, quarantine]);
  expect(told.warnings).toEqual([
    "Other writers had changed 2 partitions of the curated table that this version overwrote (2026-05-07 and 2026-05-08): they had added 2 files (1,200 rows) and taken away 1 file (8 rows) of Tidegate's, in version 1040 (DELETE), version 1041 (WRITE by Apache-Spark/4.1). Version 1041 of the Delta table shows what they had made of it, until it is vacuumed.",
    'Other writers had changed 1 partition of the quarantine table that this version overwrote (2026-05-07): they had added 1 file (rows unknown), in version 3. Version 3 of the Delta table shows what they had made of it, until it is vacuumed.',
    ...report.warnings,
  ]);
  expect(parseReport(JSON.stringify(told), 'report.json')).toEqual(told);
});

test('a report without such partitions is as it was before there were any', () => {
  expect(withOverwritten(report, [])).toBe(report);
  expect(mergeReports([report, report])).not.toHaveProperty('overwritten');
});

test('what the chunks of a backfill overwrote stands in their merged report', () => {
  const merged = mergeReports([withOverwritten(report, [added]), report, withOverwritten(report, [removed])]);
  expect(merged.overwritten).toEqual([added, removed]);
  expect(merged.warnings.filter((warning) => warning.startsWith('Other writers'))).toEqual([
    ...overwrittenWarnings([added]),
    ...overwrittenWarnings([removed]),
  ]);
});

test('a report that somebody wrote an engine into does nothing to a terminal', () => {
  const hostile = { ...added, commits: [{ version: 1, operation: '\u001b]0;x\u0007', engine: 'a\nb\u202ec' }] };
  const text = renderReport(withOverwritten(report, [hostile]), PLAIN);
  expect(text).toContain('in version 1 (\\u{1b}]0;x\\u{7} by a\\u{a}b\\u{202e}c)');
  // oxlint-disable-next-line no-control-regex -- these are what it looks for
  expect(text).not.toMatch(/[\u001b\u0007\u202e]/);
});
