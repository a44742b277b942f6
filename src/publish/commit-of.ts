import { hostname } from 'node:os';
import { gateNames, sumCounts } from '../quality';
import type { Commit, PublishInput } from './table';

/** The header of the commit that a run makes. */
export function commitOf(version: number, input: PublishInput, now: Date): Commit {
  const { plan, results } = input;
  const dates = [...results, ...plan.removed].map(({ date }) => date).toSorted();
  const [from, to] = [dates[0], dates.at(-1)];
  return {
    formatVersion: 1,
    pipeline: plan.pipeline,
    version,
    requestId: input.requestId,
    run: input.run,
    scope: plan.scope,
    planDigest: input.planDigest,
    watermark: { before: plan.base.watermark, after: plan.watermark },
    range: from === undefined || to === undefined ? null : { from, to },
    digests: plan.digests,
    partitions: results.length,
    ...(plan.removed.length > 0 && { removed: plan.removed.length }),
    totals: sumCounts(
      gateNames(plan.contract),
      results.map((result) => result.counts),
    ),
    committedAt: now.toISOString(),
    committedBy: `${hostname()}/${process.pid}`,
  };
}
