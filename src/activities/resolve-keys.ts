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
  /** In plan order; null where a partition's keys are resolved when it is read. */
  readonly partitions: readonly (PartitionResolution | null)[];
}

export function resolveKeys(deps: ActivityDeps): Activities['resolveKeys'] {
  return ({ plan: ref }) =>
    attempt('resolveKeys', async (hooks) => {
      const { plan, contract, folder } = await openPlan(deps, ref);
      return await folder.staged(async ({ path }) => {
        const directory = under(path, 'resolution');
        const { partitions } = plan;
        const resolved =
          contract.deduplicate.scope === 'partition'
            ? partitions.map(() => null)
            : await resolve({ contract, sourceRoot: contract.source.path, partitions, directory }, hooks);
        const document: ResolutionDocument = { directory, partitions: resolved };
        return await folder.write('resolution', document);
      });
    });
}
