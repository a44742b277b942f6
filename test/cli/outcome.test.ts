import { shortOutcome } from '../../src/cli/support/outcome';
import { runSummary } from '../support/run-summary';

test('a run whose report cannot be read from here still says what waits, and what it overwrote of other writers', () => {
  expect(shortOutcome(runSummary())).toBe('transactions: published version 7, request q');
  expect(shortOutcome(runSummary({ held: 2, overwritten: 1 }))).toBe(
    `transactions: published version 7, request q
2 partitions held until somebody decides: tidegate status transactions
warning: 1 partition overwritten that other writers had changed: tidegate report transactions --version 7`,
  );
});

test('a run that was skipped says why', () => {
  const skipped = runSummary({ status: 'skipped', commit: null, report: null });
  expect(shortOutcome({ ...skipped, reason: 'paused' })).toBe(
    'Skipped: transactions is paused. To go on: tidegate resume transactions',
  );
  expect(shortOutcome(skipped)).toBe('Skipped: no reason given');
});
