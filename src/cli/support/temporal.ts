import type * as temporalRoom from '../../temporal';
import type { TemporalClient } from '../../temporal';

const ASK_MS = 2_000;

/** Connects, does `work`, and closes the connection, so that the process can end. */
export async function withTemporal<T>(work: (temporal: TemporalClient) => Promise<T>): Promise<T> {
  // Loaded late: most commands work without a server, and should start quickly.
  const { connect } = require('../../temporal') as typeof temporalRoom;
  const temporal = await connect();
  try {
    return await work(temporal);
  } finally {
    await temporal.connection.close();
  }
}

/** Whether somebody polls the task queue for workflows; null when the server does not say. */
export async function hasWorker({ client, connection }: TemporalClient, taskQueue: string): Promise<boolean | null> {
  try {
    const answer = await connection.withDeadline(Date.now() + ASK_MS, () =>
      client.workflowService.describeTaskQueue({
        namespace: client.options.namespace,
        taskQueue: { name: taskQueue },
      }),
    );
    return (answer.pollers?.length ?? 0) > 0;
  } catch {
    return null;
  }
}
