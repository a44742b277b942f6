import { TerminalError } from '../errors';
import type { OutputFile, PartitionResult } from '../engine/types';
import { checkConservation, gateNames, sumCounts } from '../quality';
import type { PublishInput } from './table';

/** @throws TerminalError `TargetError` when the plan is not of the pipeline whose table this is. */
export function checkPipeline(plan: PublishInput['plan'], pipeline: string, path: string): void {
  if (plan.pipeline === pipeline) return;
  throw new TerminalError(
    'TargetError',
    `the plan is of the pipeline "${plan.pipeline}"; the table at ${path} is of "${pipeline}"`,
  );
}

/**
 * Refuses results in which a row was lost or doubled, before anything is written (SEMANTICS 6.1):
 * every planned partition has one result; its read rows are those of the source's footers; its
 * published and quarantined rows are those of the footers of the files written; the counts balance,
 * each partition's and in all; nothing is both written and removed; and the report says the same.
 * @throws TerminalError `ConservationError`.
 */
export function checkResults(input: Pick<PublishInput, 'plan' | 'results' | 'report'>): void {
  const { plan, results, report } = input;
  const byDate = new Map(results.map((result) => [result.date, result]));
  if (byDate.size !== results.length) throw refused(`a partition has two results: ${doubled(results).join(', ')}`);
  for (const planned of plan.partitions) {
    const result = byDate.get(planned.date);
    if (result === undefined) throw refused(`partition ${planned.date} is planned and has no result`);
    const { counts } = result;
    const where = `partition ${planned.date}`;
    same(`${where}: rows read`, counts.read, `the plan's source files hold`, planned.rows);
    same(`${where}: rows published`, counts.published, 'the curated files hold', rowsOf(result.curated));
    same(`${where}: rows quarantined`, counts.quarantined, 'the quarantine files hold', rowsOf(result.quarantine));
    checkConservation(where, counts);
    byDate.delete(planned.date);
  }
  const removed = plan.removed.map(({ date }) => date);
  const both = plan.partitions.map(({ date }) => date).filter((date) => removed.includes(date));
  if (both.length > 0) throw refused(`partition ${both.join(', ')} is planned and to be removed`);
  const told = report.removed.map(({ date }) => date);
  if (told.join() !== removed.join()) {
    throw refused(
      `the plan removes the partitions ${removed.join(', ') || 'none'}, the report says ${told.join(', ') || 'none'}`,
    );
  }
  if (byDate.size > 0) throw refused(`partition ${[...byDate.keys()].join(', ')} has a result and is not planned`);

  const totals = sumCounts(
    gateNames(plan.contract),
    results.map((result) => result.counts),
  );
  checkConservation('all partitions', totals);
  for (const name of ['read', 'superseded', 'quarantined', 'published'] as const) {
    same(`rows ${name} in all`, totals[name], "the report's total is", report.totals[name]);
  }
}

const rowsOf = (files: readonly OutputFile[]): number => files.reduce((sum, file) => sum + file.rows, 0);

function doubled(results: readonly PartitionResult[]): string[] {
  const dates = results.map((result) => result.date);
  return [...new Set(dates.filter((date, index) => dates.indexOf(date) !== index))];
}

function same(what: string, found: number, other: string, expected: number): void {
  if (found === expected) return;
  throw refused(`${what}: ${found}, but ${other} ${expected}`);
}

const refused = (message: string): TerminalError =>
  new TerminalError(
    'ConservationError',
    `${message}. Nothing was published. This is a fault in Tidegate, please report it.`,
  );
