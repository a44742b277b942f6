import { newEngine } from '../engine';
import { createLogger } from '../logger';
import { awaitRun } from './await-run';
import { describePipeline } from './describe-pipeline';
import { discoverPartitions } from './discover-partitions';
import { notify } from './notify';
import { type ActivityDeps, type ActivityOptions, defaultPolicy } from './options';
import { publish } from './publish';
import { readCommittedState } from './read-committed-state';
import { resolveKeys } from './resolve-keys';
import { rollback } from './rollback';
import { submitRequest } from './submit-request';
import { transformAndGate } from './transform-and-gate';
import type { Activities } from './types';
import { writeReport } from './write-report';

/** Tidegate's activities, to be registered in a Temporal worker beside its workflows. */
export function createActivities(options: ActivityOptions): Activities {
  const deps: ActivityDeps = {
    contracts: options.contracts,
    policy: { ...defaultPolicy, ...options.policy },
    logger: options.logger ?? createLogger('silent'),
    engine: options.engine ?? newEngine(),
  };
  return {
    describePipeline: describePipeline(deps),
    readCommittedState: readCommittedState(deps),
    discoverPartitions: discoverPartitions(deps),
    resolveKeys: resolveKeys(deps),
    transformAndGate: transformAndGate(deps),
    writeReport: writeReport(deps),
    publish: publish(deps),
    rollback: rollback(deps),
    notify: notify(deps),
    awaitRun: awaitRun(),
    submitRequest: submitRequest(),
  };
}
