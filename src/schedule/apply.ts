import type { Client } from '@temporalio/client';
import { ScheduleAlreadyRunning } from '@temporalio/client';
import type { Contract, ScheduleSpec } from '../contract';
import { TerminalError } from '../errors';
import { SPEC_MEMO, describeSchedule, scheduleChanges, temporalSchedule } from './spec';

export interface AppliedSchedule {
  readonly scheduleId: string;
  readonly outcome: 'created' | 'updated' | 'unchanged';
  /** `every 15m` */
  readonly schedule: string;
  /** One line a changed key. */
  readonly changes: readonly string[];
}

/**
 * Makes the server's schedule what the contract says: creates it, or brings it up to date and keeps
 * whether it is paused. Applying twice changes nothing.
 * @throws TerminalError `ContractError` when the contract has no schedule.
 */
export async function applySchedule(client: Client, contract: Contract): Promise<AppliedSchedule> {
  const { schedule, pipeline } = contract;
  if (!schedule) {
    throw new TerminalError(
      'ContractError',
      `the contract of ${pipeline} has no schedule. Add one (schedule: {every: 15m}), or remove the one on the server with: tidegate schedule delete ${pipeline}`,
    );
  }
  const wanted = temporalSchedule(contract, schedule);
  const result = { scheduleId: wanted.scheduleId, schedule: describeSchedule(schedule) };
  try {
    await client.schedule.create(wanted);
    return { ...result, outcome: 'created', changes: [] };
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
  let changes: string[] = [];
  // Written even when nothing differs: what somebody changed by hand is put right.
  await client.schedule.getHandle(wanted.scheduleId).update((before) => {
    changes = scheduleChanges(appliedSpec(before.action.memo), schedule);
    return { spec: wanted.spec, action: wanted.action, policies: wanted.policies, state: before.state };
  });
  return { ...result, outcome: changes.length === 0 ? 'unchanged' : 'updated', changes };
}

function appliedSpec(memo: Record<string, unknown> | undefined): Partial<ScheduleSpec> {
  const spec = memo?.[SPEC_MEMO];
  return typeof spec === 'object' && spec !== null ? spec : {};
}
