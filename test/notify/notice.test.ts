import { buildNotice } from '../../src/notify';
import { runSummary } from '../support/run-summary';

const totals = {
  read: 1000,
  superseded: 1,
  ambiguous: 0,
  quarantined: 2,
  published: 997,
  misfiled: 0,
  violations: { primaryKey: 0, complete: 1, valid: 1 },
};
const summary = runSummary({ totals });
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
  expect(buildNotice({ ...base, summary: runSummary({ totals: { ...totals, quarantined: 0 } }) })).toBeNull();
  expect(buildNotice({ ...base, summary: runSummary({ status: 'nothing' }) })).toBeNull();
});
