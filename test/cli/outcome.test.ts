import { shortOutcome } from '../../src/cli/support/outcome';
import type { RunSummary } from '../../src/workflows/messages';

const summary: RunSummary = {
  requestId: 'q',
  pipeline: 'transactions',
  kind: 'incremental',
  status: 'committed',
  watermark: { before: null, after: null },
  commit: { version: 7, path: '/lake' },
  totals: null,
  taken: 1,
  left: 0,
  ignored: 0,
  report: '/lake/elsewhere/report.json',
};

test('a run whose report cannot be read from here still says what waits, and what it overwrote of other writers', () => {
  expect(shortOutcome(summary)).toBe('transactions: published version 7, request q');
  expect(shortOutcome({ ...summary, held: 2, overwritten: 1 })).toBe(
    `transactions: published version 7, request q
2 partitions held until somebody decides: tidegate status transactions
warning: 1 partition overwritten that other writers had changed: tidegate report transactions --version 7`,
  );
});

test('a run that was skipped says why', () => {
  const skipped = { ...summary, status: 'skipped', commit: null, report: null } as const;
  expect(shortOutcome({ ...skipped, reason: 'paused' })).toBe(
    'Skipped: transactions is paused. To go on: tidegate resume transactions',
  );
  expect(shortOutcome(skipped)).toBe('Skipped: no reason given');
});
