import type { PartitionResult } from '../engine';
import { openTable } from '../publish';
import { buildReport, stalePartitions } from '../quality';
import { attempt } from './attempt';
import type { ActivityDeps } from './options';
import { openPlan } from './plan-document';
import type { RunFolder } from './run-folder';
import type { Activities, DocumentRef } from './types';

export function writeReport(deps: ActivityDeps): Activities['writeReport'] {
  return ({ plan: ref, results: refs }) =>
    attempt('writeReport', async () => {
      const { plan, contract, folder } = await openPlan(deps, ref);
      const results = await readResults(folder, refs);
      const state = await openTable(contract).read();
      const stale = stalePartitions(plan, state.partitions.values());
      const { partitions: published } = state;
      const { digest: planDigest, requestId } = ref;
      const report = buildReport({ plan, planDigest, requestId, results, stale, published });
      return { ...(await folder.write('report', report)), totals: report.totals };
    });
}

/** The results of all groups, in plan order. */
export async function readResults(folder: RunFolder, refs: readonly DocumentRef[]): Promise<PartitionResult[]> {
  const groups = await Promise.all(refs.map((ref) => folder.read<PartitionResult[]>(ref)));
  return groups.flat();
}
