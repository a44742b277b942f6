import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import { createActivities, type RunPolicy } from './activities';
import type { ContractRegistry } from './contract';
import { newEngine } from './engine';
import type { Logger } from './logger';
import { workflowsPath } from './workflows-path';
import { DATA_TASK_QUEUE, TASK_QUEUE } from './workflows/messages';

/** What a Tidegate worker is made of. */
export interface TidegateWorkerOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly contracts: ContractRegistry;
  /** Workflows and light activities. Default `tidegate`. */
  readonly taskQueue?: string;
  /** Polars work. Default `tidegate-data`. */
  readonly dataTaskQueue?: string;
  /** Polars activities at once in this process. Default 1: one already uses every core. */
  readonly dataSlots?: number;
  readonly policy?: Partial<RunPolicy>;
  readonly logger?: Logger;
}

/** The workers of one process: one for workflows and light activities, one for Polars work. */
export interface TidegateWorkers {
  /** Resolves once both have shut down; rejects when one fails, after the other was shut down. */
  run(): Promise<void>;
  shutdown(): void;
  /** Whether both poll for work. */
  healthy(): boolean;
}

/** Shutdown lets work finish this long, then cancels it; it ends within the container's stop timeout of 30 s. */
const GRACE = '10 seconds';
const FORCE = '20 seconds';

export async function createWorkers(options: TidegateWorkerOptions): Promise<TidegateWorkers> {
  const { connection, namespace, contracts, logger, taskQueue = TASK_QUEUE, dataTaskQueue = DATA_TASK_QUEUE } = options;
  const engine = newEngine();
  await engine.start();
  const activities = createActivities({ contracts, logger, engine, policy: { ...options.policy, dataTaskQueue } });
  const shared: Partial<WorkerOptions> = {
    connection,
    namespace,
    shutdownGraceTime: GRACE,
    shutdownForceTime: FORCE,
  };
  const light = await Worker.create({
    ...shared,
    ...workflowSource(),
    taskQueue,
    activities: { ...activities },
    // After a crash the next workflow task waits this long for the dead process's sticky queue.
    stickyQueueScheduleToStartTimeout: '2 seconds',
    maxConcurrentActivityTaskExecutions: 20,
  });
  const { resolveKeys, transformAndGate } = activities;
  const data = await Worker.create({
    ...shared,
    taskQueue: dataTaskQueue,
    activities: { resolveKeys, transformAndGate },
    maxConcurrentActivityTaskExecutions: options.dataSlots ?? 1,
  });
  const workers = [light, data];
  const shutdown = (): void => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  return {
    shutdown,
    healthy: () => workers.every((worker) => worker.getState() === 'RUNNING'),
    run: async () => {
      const runs = workers.map((worker) => worker.run());
      try {
        await Promise.all(runs);
      } finally {
        shutdown();
        await Promise.allSettled(runs);
        await engine.close();
      }
    },
  };
}

/** The bundle made by the build where there is one: it starts two seconds faster than bundling now. */
function workflowSource(): Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath'> {
  const codePath = join(__dirname, 'workflow-bundle.js');
  return existsSync(codePath) ? { workflowBundle: { codePath } } : { workflowsPath };
}
