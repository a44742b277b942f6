'use strict';
/**
 * One run of a pipeline by Tidegate's own activities, in the order in which its workflow calls them, in this process
 * and without a server: list and plan, resolve keys, transform and gate, report, publish.
 */
const { MockActivityEnvironment } = require('@temporalio/testing');
const { createActivities } = require('../../dist/activities');
const { contractsFrom, definePipeline } = require('../../dist/contract');
const { newEngine } = require('../../dist/engine');
const { sourceContract } = require('../lib/contract');
const { tell } = require('../lib/node-case');

tell(
  async ({ scope: requested = { kind: 'incremental' }, requestId = 'bench/1' }, { activities, pipeline }) => {
    const seconds = {};
    const call = async (name, input) => {
      const started = performance.now();
      const output = await new MockActivityEnvironment().run(activities[name], input);
      seconds[name] = (seconds[name] ?? 0) + (performance.now() - started) / 1000;
      return output;
    };
    const found = await call('discoverPartitions', { pipeline, requestId, scope: requested });
    if (found.taken === 0) return { taken: 0, seconds };
    const { completed, ...resolution } = await call('resolveKeys', { plan: found.plan });
    // In scope `table` the partitions that are coupled are known only now.
    const { plan, groups } = completed ?? found;
    const results = [];
    for (const group of groups) results.push(await call('transformAndGate', { plan, resolution, group }));
    const report = await call('writeReport', { plan, results });
    const summary = await call('publish', { plan, results, report });
    return { taken: groups.reduce((sum, { from, to }) => sum + to - from, 0), records: summary.records, seconds };
  },
  async ({ raw, out, keyScope }, earlier) => {
    // As the peers are loaded before they are timed.
    await Promise.all(['hyparquet', 'p-map', 'env-paths'].map((name) => import(name)));
    const engine = earlier?.engine ?? newEngine();
    await engine.start();
    const contract = definePipeline(sourceContract({ raw, out, scope: keyScope }));
    return {
      engine,
      activities: createActivities({ contracts: contractsFrom([contract]), engine }),
      pipeline: contract.pipeline,
    };
  },
);
