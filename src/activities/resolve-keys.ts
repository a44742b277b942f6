import type { PartitionResolution } from '../engine';
import { openTable } from '../publish';
import { under } from '../storage';
import { attempt } from './attempt';
import type { ActivityDeps } from './options';
import { assertExpected, needsCompletion, openPlan, shown } from './plan-document';
import { resolveInTable } from './table-scope';
import type { Activities } from './types';

/** What `transformAndGate` reads of key resolution. */
export interface ResolutionDocument {
  /** Location that the paths of row sets are relative to. */
  readonly directory: string;
  /** In plan order; null where a partition's keys are resolved when it is read. */
  readonly partitions: readonly (PartitionResolution | null)[];
}

export function resolveKeys(deps: ActivityDeps): Activities['resolveKeys'] {
  return ({ plan: ref, expectPlan }) =>
    attempt('resolveKeys', async (hooks) => {
      const { plan, contract, folder } = await openPlan(deps, ref);
      return await folder.staged(async ({ path, attempt: uuid, draws }) => {
        if (!needsCompletion(plan)) {
          const directory = under(path, 'resolution');
          const { partitions } = plan;
          const resolved =
            contract.deduplicate.scope === 'window'
              ? await deps.engine.resolve({ contract, sourceRoot: contract.source.path, partitions, directory }, hooks)
              : partitions.map(() => null);
          return await folder.write('resolution', { directory, partitions: resolved } satisfies ResolutionDocument);
        }
        const table = openTable(contract);
        const outputPath: typeof table.outputPath = (name) => {
          const key = table.outputPath(name);
          draws(key);
          return key;
        };
        const places = {
          outputRoot: table.path,
          outputPath,
          run: folder.run,
          attempt: uuid,
          staging: path,
          overlay: null,
        };
        const whole = await resolveInTable(plan, table, places, deps.engine, hooks);
        assertExpected(whole.plan, expectPlan);
        const document: ResolutionDocument = { directory: table.path, partitions: whole.resolutions };
        return {
          ...(await folder.write('resolution', document)),
          completed: shown(whole.plan, { ...ref, ...(await folder.write('plan', whole.plan)) }),
        };
      });
    });
}
