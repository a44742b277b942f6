import { openTable } from '../publish';
import { attempt } from './attempt';
import type { ActivityDeps } from './options';
import { recorded } from './read-committed-state';
import { runOf } from './run-folder';
import type { Activities } from './types';

export function rollback({ contracts, logger }: ActivityDeps): Activities['rollback'] {
  return ({ pipeline, requestId, to }) =>
    attempt('rollback', async (hooks) => {
      const table = openTable(await contracts.get(pipeline), {
        onWarning: (message) => logger.warn({ pipeline }, message),
      });
      const commit = await table.rollback({ requestId, run: runOf(requestId), to, ...hooks });
      return await recorded(table, commit, logger);
    });
}
