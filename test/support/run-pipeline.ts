import { MockActivityEnvironment } from '@temporalio/testing';
import { createActivities } from '../../src/activities';
import { type Contract, contractsFrom } from '../../src/contract';
import type { PlanScope } from '../../src/discovery';
import type { RunSummary } from '../../src/workflows/messages';

/** One run of a pipeline by its real activities, in the order in which the workflow calls them, without a server. */
export async function runPipeline(
  contract: Contract,
  requestId: string,
  scope: PlanScope = { kind: 'incremental' },
): Promise<RunSummary> {
  const activities = createActivities({ contracts: contractsFrom([contract]) });
  const call = async <I, O>(activity: (input: I) => Promise<O>, input: I): Promise<O> =>
    (await new MockActivityEnvironment().run(activity as never, input as never)) as O;
  const { pipeline } = contract;
  const found = await call(activities.discoverPartitions, { pipeline, requestId, scope });
  if (found.taken === 0 && !found.removed) throw new Error('nothing to do');
  const { completed, ...resolution } = await call(activities.resolveKeys, { plan: found.plan });
  const { plan, groups } = completed ?? found;
  const results = [];
  for (const group of groups) results.push(await call(activities.transformAndGate, { plan, resolution, group }));
  const report = await call(activities.writeReport, { plan, results });
  return call(activities.publish, { plan, results, report });
}
