import { discover, discoverInput } from '../discovery';
import { openTable } from '../publish';
import { countHeld } from '../quality';
import { attempt } from './attempt';
import type { ActivityDeps } from './options';
import { assertExpected, needsCompletion, shown } from './plan-document';
import { RunFolder } from './run-folder';
import type { Activities } from './types';

export function discoverPartitions({ contracts }: ActivityDeps): Activities['discoverPartitions'] {
  return ({ pipeline, requestId, scope, expectPlan }) =>
    attempt('discoverPartitions', async (hooks) => {
      const contract = await contracts.get(pipeline);
      const table = openTable(contract);
      const state = await table.read();
      await table.checkStore();
      const plan = await discover({ ...discoverInput(contract, scope, state), ...hooks });
      if (!needsCompletion(plan)) assertExpected(plan, expectPlan);
      await table.claimFolder();
      const document = await new RunFolder(contract, requestId).write('plan', plan);
      return {
        ...shown(plan, { ...document, pipeline, requestId }),
        ignored: plan.ignored.length,
        removed: plan.removed.length,
        held: countHeld(plan.left),
      };
    });
}
