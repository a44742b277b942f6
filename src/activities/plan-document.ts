import type { Contract } from '../contract';
import type { Plan } from '../discovery';
import { RunFolder } from './run-folder';
import type { ActivityDeps } from './options';
import type { PlanRef } from './types';

/**
 * The frozen plan of a run. The worker's own contract only tells where the table is, so that no
 * path from a message is trusted; rules come from the contract inside the plan.
 */
export async function openPlan(
  { contracts }: ActivityDeps,
  ref: PlanRef,
): Promise<{ readonly plan: Plan; readonly contract: Contract; readonly folder: RunFolder }> {
  const folder = new RunFolder(await contracts.get(ref.pipeline), ref.requestId);
  const plan = upToDate(await folder.read<Plan>(ref));
  return { plan, contract: plan.contract, folder };
}

/** A run that an earlier release planned goes on under this one: what its plan could not say had these values. */
function upToDate(plan: Plan): Plan {
  const { contract } = plan;
  const { incremental, engine } = contract;
  return {
    ...plan,
    removed: plan.removed ?? [],
    contract: {
      ...contract,
      incremental: { ...DEFAULTS, ...incremental },
      engine: engine ?? { memory: 1024 ** 3 },
    },
  };
}

const DEFAULTS = { reprocess: 'always', late: 'process', gone: 'keep' } as const;
