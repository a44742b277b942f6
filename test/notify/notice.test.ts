import { buildNotice } from '../../src/notify';
import type { RunSummary } from '../../src/workflows/messages';

const totals = {
  read: 1000,
  superseded: 1,
  ambiguous: 0,
  quarantined: 2,
  published: 997,
  misfiled: 0,
  violations: { primaryKey: 0, complete: 1, valid: 1 },
};
const summary: RunSummary = {
  requestId: 'q',
  pipeline: 'transactions',
  kind: 'incremental',
  status: 'committed',
  watermark: { before: null, after: null },
  commit: { version: 7, path: '/p' },
  totals,
  taken: 1,
  left: 0,
  ignored: 0,
  report: '/p/report.json',
};
const base = { pipeline: 'transactions', requestId: 'q' };

test('rejected rows are told with counts, gates and the command that shows more', () => {
  expect(buildNotice({ ...base, summary })).toEqual({
    formatVersion: 1,
    source: 'tidegate',
    kind: 'rejected',
    pipeline: 'transactions',
    requestId: 'q',
    text:
      'Tidegate: transactions rejected 2 rows of 1,000 rows read (complete 1, valid 1); 997 rows passed. ' +
      '(more: tidegate report transactions --version 7)',
    counts: totals,
    version: 7,
    failure: null,
    command: 'tidegate report transactions --version 7',
  });
});

test('a failure is told with its type and cause', () => {
  const notice = buildNotice({ ...base, failure: { type: 'SchemaMismatch', message: 'no column amount' } });
  expect(notice).toMatchObject({
    kind: 'failed',
    counts: null,
    version: null,
    failure: { type: 'SchemaMismatch', message: 'no column amount' },
    command: 'tidegate status transactions',
  });
  expect(notice?.text).toContain('SchemaMismatch: no column amount');
});

test('a run that rejects nothing is not told', () => {
  expect(buildNotice({ ...base, summary: { ...summary, totals: { ...totals, quarantined: 0 } } })).toBeNull();
  expect(buildNotice({ ...base, summary: { ...summary, status: 'nothing', totals: null } })).toBeNull();
});
