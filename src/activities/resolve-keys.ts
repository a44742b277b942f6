import { type PartitionResolution, resolve } from '../engine';
import { under } from '../storage';
import { attempt } from './attempt';
import type { ActivityDeps } from './options';
import { openPlan } from './plan-document';
import type { Activities } from './types';

/** What `transformAndGate` reads of key resolution. */
export interface ResolutionDocument {
  /** Location of the folder with the row sets. */
  readonly directory: string;
  /** In plan order. */
  readonly partitions: readonly PartitionResolution[];
}

export function resolveKeys(deps: ActivityDeps): Activities['resolveKeys'] {
  return ({ plan: ref }) =>
    attempt('resolveKeys', async (hooks) => {
      const { plan, contract, folder } = await openPlan(deps, ref);
      return await folder.staged(async ({ path }) => {
        const directory = under(path, 'resolution');
        const { partitions } = plan;
        const resolved = await resolve({ contract, sourceRoot: contract.source.path, partitions, directory }, hooks);
        const document: ResolutionDocument = { directory, partitions: resolved };
        return await folder.write('resolution', document);
      });
    });
}
