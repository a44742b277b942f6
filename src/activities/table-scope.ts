import { tmpdir } from 'node:os';
import type { Plan } from '../discovery';
import type { Engine, EngineHooks, PartitionResolution, ResolveTableInput } from '../engine';
import { VoidPlan } from '../errors';
import type { Table } from '../publish';
import { openStore } from '../storage';
import { userCacheFolder } from '../user-cache';

/** Where a resolution writes: below the table, or, where nothing of the table may change, elsewhere. */
export type ResolutionPlaces = Pick<ResolveTableInput, 'outputRoot' | 'outputPath' | 'run' | 'attempt' | 'staging'> & {
  /** A local folder for new indexes; null: they go to the table. */
  readonly overlay: string | null;
};

/**
 * Resolves keys over the whole table and completes the plan by the partitions that are coupled, in date order.
 * @throws VoidPlan when the table is no longer at the plan's base version.
 */
export async function resolveInTable(
  plan: Plan,
  table: Table,
  { overlay, ...places }: ResolutionPlaces,
  engine: Engine,
  hooks: EngineHooks,
): Promise<{ readonly plan: Plan; readonly resolutions: readonly PartitionResolution[] }> {
  const { contract, base } = plan;
  const state = await table.read();
  assertBase(base.version, state.version);
  const rootOf = async (): Promise<string> =>
    state.version === 0 ? table.path : (await table.pathOf({ version: state.version })).path;
  try {
    const { partitions, resolutions } = await engine.resolveTable(
      {
        contract,
        sourceRoot: contract.source.path,
        partitions: plan.partitions,
        removed: plan.removed.map(({ date }) => date),
        committed: { partitions: state.partitions, root: await rootOf() },
        tableRoot: table.path,
        ...places,
        scratch: openStore(places.staging).kind === 'local' ? places.staging : tmpdir(),
        indexes: {
          folder: table.indexFolder,
          cache: process.env['TIDEGATE_CACHE'] ?? (await userCacheFolder()),
          overlay,
        },
      },
      hooks,
    );
    const taken = new Set(partitions.map(({ date }) => date));
    const left = plan.left.filter(({ date }) => !taken.has(date));
    return { plan: { ...plan, partitions, left }, resolutions };
  } catch (error) {
    // Where somebody else published meanwhile, retention may have taken what was being read.
    const now = await table.read().catch(() => null);
    if (now !== null) assertBase(base.version, now.version);
    throw error;
  }
}

function assertBase(base: number, version: number): void {
  if (version === base) return;
  throw new VoidPlan(`it was made on version ${base}, and the table is at version ${version}`);
}
