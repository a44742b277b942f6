import { type ActivityOptions, proxyActivities } from '@temporalio/workflow';
import type { Activities, RunPolicy } from '../activities/types';

/** Short activities of requesters and the entity: they ask little and should answer within seconds. */
export const light = proxyActivities<Pick<Activities, 'describePipeline' | 'submitRequest' | 'readCommittedState'>>({
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout: '5 seconds',
  retry: { initialInterval: '200 milliseconds', maximumInterval: '10 seconds', maximumAttempts: 30 },
});

/** Waiting for a run that an earlier execution of the entity started takes as long as that run. */
export const waiting = proxyActivities<Pick<Activities, 'awaitRun'>>({
  startToCloseTimeout: '7 days',
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds' },
});

/** Telling somebody is worth a few tries, never a failed run. */
export const telling = proxyActivities<Pick<Activities, 'notify'>>({
  startToCloseTimeout: '15 seconds',
  // The pipeline's next run waits for it.
  scheduleToCloseTimeout: '40 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '10 seconds', maximumAttempts: 4 },
});

/** The steps of a run, as persistent as the worker's policy says; Polars work goes to the data queue. */
export function runActivities(policy: RunPolicy) {
  const options: ActivityOptions = {
    startToCloseTimeout: '12 hours',
    heartbeatTimeout: policy.heartbeatTimeoutMs,
    retry: {
      initialInterval: policy.initialIntervalMs,
      backoffCoefficient: 2,
      maximumInterval: '1 minute',
      maximumAttempts: policy.maximumAttempts,
    },
  };
  const steps =
    proxyActivities<Pick<Activities, 'discoverPartitions' | 'writeReport' | 'publish' | 'rollback'>>(options);
  const data = proxyActivities<Pick<Activities, 'resolveKeys' | 'transformAndGate'>>({
    ...options,
    taskQueue: policy.dataTaskQueue,
  });
  return { steps, data };
}
