import { DEFAULT_ENGINE, type Contract } from '../contract';
import { type Plan, groupPartitions, planDigest } from '../discovery';
import { TerminalError } from '../errors';
import { RunFolder } from './run-folder';
import type { ActivityDeps } from './options';
import type { PlanRef, ShownPlan } from './types';

/** Whether key resolution has yet to find the partitions that are coupled to those of the plan. */
export const needsCompletion = ({ contract, partitions, removed }: Plan): boolean =>
  contract.deduplicate.scope === 'table' && partitions.length + removed.length > 0;

/** What the workflow is told of a plan. */
export function shown(plan: Plan, ref: Omit<PlanRef, 'digest'>): ShownPlan {
  return {
    plan: { ...ref, digest: planDigest(plan) },
    taken: plan.partitions.length,
    left: plan.left.length,
    rows: plan.partitions.reduce((sum, partition) => sum + partition.rows, 0),
    groups: groupPartitions(plan.partitions),
  };
}

/** @throws TerminalError `PlanChanged` when the request was for another plan. */
export function assertExpected(plan: Plan, expected: string | undefined): void {
  const digest = planDigest(plan);
  if (expected === undefined || expected === digest) return;
  throw new TerminalError(
    'PlanChanged',
    `expected the plan ${expected}, but the plan made now is ${digest}: the raw zone, the table or the contract changed since. ` +
      `Look at it with: tidegate plan ${plan.pipeline}`,
  );
}

/**
 * The frozen plan of a run. The worker's own contract only tells where the table is, so that no
 * path from a message is trusted; rules come from the contract inside the plan.
 */
export async function openPlan(
  { contracts }: Pick<ActivityDeps, 'contracts'>,
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
      engine: engine ?? DEFAULT_ENGINE,
    },
  };
}

const DEFAULTS = { reprocess: 'always', late: 'process', gone: 'keep' } as const;
