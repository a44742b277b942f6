/** The team's own worker. Usage: worker.js <folder> [delta]; TEMPORAL_ADDRESS says where the server is. */
import { NativeConnection, Worker } from '@temporalio/worker';
import { contractsFrom, createActivities } from 'tidegate';
import { createShopActivities } from './activities';
import { type Format, salesPipeline } from './pipeline';

const TASK_QUEUE = 'shop';

export async function runWorker(
  folder: string,
  format?: Format,
  address = process.env['TEMPORAL_ADDRESS'],
): Promise<void> {
  const connection = await NativeConnection.connect({ address });
  try {
    const worker = await Worker.create({
      connection,
      taskQueue: TASK_QUEUE,
      workflowsPath: require.resolve('./workflows'),
      activities: {
        ...createActivities({
          contracts: contractsFrom([salesPipeline(folder, format)]),
          // One queue for everything. A worker of its own for Polars work would poll another one, with one slot.
          policy: { dataTaskQueue: TASK_QUEUE },
        }),
        ...createShopActivities(folder),
      },
      maxConcurrentActivityTaskExecutions: 4,
    });
    await worker.run();
  } finally {
    await connection.close();
  }
}

if (require.main === module) {
  runWorker(process.argv[2] ?? '.', process.argv[3] as Format | undefined).catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
}
