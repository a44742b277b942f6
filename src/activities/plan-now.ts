import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Contract } from '../contract';
import { type Plan, type PlanScope, discover, discoverInput } from '../discovery';
import { type EngineHooks, engineHere } from '../engine';
import { openTable } from '../publish';
import { needsCompletion } from './plan-document';
import { resolveInTable } from './table-scope';

/**
 * The plan that a run of `scope`, started now, executes: made from contract, table and source alone. Nothing
 * is changed; what key resolution in scope `table` writes goes to a temporary folder.
 * @throws VoidPlan, TerminalError as the run's own activities do.
 */
export async function planNow(contract: Contract, scope: PlanScope, hooks: EngineHooks = {}): Promise<Plan> {
  const table = openTable(contract);
  const { signal } = hooks;
  const input = discoverInput(contract, scope, await table.read());
  const plan = await discover({ ...input, ...(signal === undefined ? {} : { signal }) });
  if (!needsCompletion(plan)) return plan;
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-plan-'));
  try {
    const outputPath: typeof table.outputPath = ({ kind, date }) => `${kind}/${date}`;
    const places = { outputRoot: folder, outputPath, run: 'plan', attempt: randomUUID(), staging: folder };
    const whole = await resolveInTable(plan, table, { ...places, overlay: join(folder, 'index') }, engineHere, hooks);
    // Rebuilt files go with the folder.
    const partitions = whole.plan.partitions.map(({ rebuilt: _rebuilt, ...partition }) => partition);
    return { ...whole.plan, partitions };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
