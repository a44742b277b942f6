import { resolutionDigest, rowsDigest } from '../contract';
import { discover, groupPartitions, planDigest, utcToday } from '../discovery';
import { openTable } from '../publish';
import { countHeld } from '../quality';
import { openStore } from '../storage';
import { attempt } from './attempt';
import type { ActivityDeps } from './options';
import { assertExpected, needsCompletion } from './plan-document';
import { RunFolder } from './run-folder';
import type { Activities } from './types';

export function discoverPartitions({ contracts }: ActivityDeps): Activities['discoverPartitions'] {
  return ({ pipeline, requestId, scope, expectPlan }) =>
    attempt('discoverPartitions', async (hooks) => {
      const contract = await contracts.get(pipeline);
      const table = openTable(contract);
      const state = await table.read();
      await table.checkStore();
      const plan = await discover({
        contract,
        store: openStore(contract.source.path),
        digests: { resolution: resolutionDigest(contract), rows: rowsDigest(contract) },
        scope,
        state,
        today: utcToday(),
        ...hooks,
      });
      const digest = planDigest(plan);
      if (!needsCompletion(plan)) assertExpected(plan, expectPlan);
      await table.claimFolder();
      const document = await new RunFolder(contract, requestId).write('plan', plan);
      return {
        plan: { ...document, pipeline, requestId, digest },
        taken: plan.partitions.length,
        left: plan.left.length,
        ignored: plan.ignored.length,
        removed: plan.removed.length,
        held: countHeld(plan.left),
        rows: plan.partitions.reduce((sum, partition) => sum + partition.rows, 0),
        groups: groupPartitions(plan.partitions),
      };
    });
}
