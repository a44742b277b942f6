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
  const plan = await folder.read<Plan>(ref);
  return { plan, contract: plan.contract, folder };
}
