import { openTable } from '../publish';
import type { Report } from '../quality';
import { attempt } from './attempt';
import type { ActivityDeps } from './options';
import { openPlan } from './plan-document';
import { recorded } from './read-committed-state';
import type { Activities } from './types';
import { readResults } from './write-report';

export function publish(deps: ActivityDeps): Activities['publish'] {
  return ({ plan: ref, results: refs, report: reportRef }) =>
    attempt('publish', async (hooks) => {
      const { plan, contract, folder } = await openPlan(deps, ref);
      const table = openTable(contract, {
        onWarning: (message) => deps.logger.warn({ pipeline: ref.pipeline }, message),
      });
      const commit = await table.publish({
        requestId: ref.requestId,
        run: folder.run,
        plan,
        planDigest: ref.digest,
        results: await readResults(folder, refs),
        // Reports of an earlier release do not speak of removed partitions.
        report: { removed: [], ...(await folder.read<Partial<Report> & Omit<Report, 'removed'>>(reportRef)) },
        ...hooks,
      });
      return await recorded(table, commit, deps.logger);
    });
}
