import type { RunSummary } from '../../src/workflows/messages';

/** What a run that committed version 7 of `transactions` ends with, but for what a test says. */
export const runSummary = (fields: Partial<RunSummary> = {}): RunSummary => ({
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
  ...fields,
});
