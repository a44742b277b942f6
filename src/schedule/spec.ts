import type { ScheduleOptions } from '@temporalio/client';
import { ScheduleOverlapPolicy } from '@temporalio/client';
import type { Contract, ScheduleSpec } from '../contract';
import { TASK_QUEUE, WorkflowType } from '../workflows/messages';
import type { IncrementalRunInput } from '../workflows/messages';

const PREFIX = 'tidegate/';
/** Memo of every run that a schedule starts: the contract's `schedule`, as it was applied. */
export const SPEC_MEMO = 'tidegateSchedule';

export const scheduleIdOf = (pipeline: string): string => `${PREFIX}${pipeline}`;

/** The pipeline of one of our schedules; null for schedules of others. */
export function pipelineOf(scheduleId: string): string | null {
  return scheduleId.startsWith(PREFIX) ? scheduleId.slice(PREFIX.length) : null;
}

const OVERLAP: Record<ScheduleSpec['overlap'], ScheduleOverlapPolicy> = {
  skip: ScheduleOverlapPolicy.SKIP,
  bufferOne: ScheduleOverlapPolicy.BUFFER_ONE,
  bufferAll: ScheduleOverlapPolicy.BUFFER_ALL,
  cancelOther: ScheduleOverlapPolicy.CANCEL_OTHER,
  terminateOther: ScheduleOverlapPolicy.TERMINATE_OTHER,
  allowAll: ScheduleOverlapPolicy.ALLOW_ALL,
};

/**
 * The Temporal schedule of a contract: it starts an `incrementalRun` requester, which fails when the
 * run fails, so pause-on-failure and overlap follow the real outcome.
 */
export function temporalSchedule(contract: Pick<Contract, 'pipeline'>, schedule: ScheduleSpec) {
  const input: IncrementalRunInput = { pipeline: contract.pipeline };
  return {
    scheduleId: scheduleIdOf(contract.pipeline),
    spec: {
      ...(schedule.cron !== undefined && { cronExpressions: [schedule.cron] }),
      // The contract's schema has checked that this is a duration.
      ...(schedule.every !== undefined && { intervals: [{ every: schedule.every as Duration }] }),
      timezone: schedule.timezone,
      ...(schedule.jitter !== null && { jitter: schedule.jitter as Duration }),
    },
    action: {
      type: 'startWorkflow' as const,
      workflowType: WorkflowType.incrementalRun,
      // The server appends the scheduled time.
      workflowId: `tidegate-run-${contract.pipeline}`,
      taskQueue: TASK_QUEUE,
      args: [input],
      memo: { [SPEC_MEMO]: schedule },
    },
    policies: {
      overlap: OVERLAP[schedule.overlap],
      catchupWindow: schedule.catchupWindow as Duration,
      pauseOnFailure: schedule.pauseOnFailure,
    },
  } satisfies ScheduleOptions;
}

type Duration = NonNullable<NonNullable<ScheduleOptions['policies']>['catchupWindow']>;

/** `every 15m`, `cron 0 6 * * * (Europe/Berlin)`. */
export function describeSchedule(schedule: Pick<ScheduleSpec, 'cron' | 'every' | 'timezone'>): string {
  return schedule.cron === undefined ? `every ${schedule.every}` : `cron ${schedule.cron} (${schedule.timezone})`;
}

/** What differs between two schedules, one line a key: `cron: "0 6 * * *" → "0 7 * * *"`. */
export function scheduleChanges(before: Partial<ScheduleSpec>, after: ScheduleSpec): string[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])] as (keyof ScheduleSpec)[];
  return keys
    .filter((key) => JSON.stringify(before[key] ?? null) !== JSON.stringify(after[key] ?? null))
    .map((key) => `${key}: ${JSON.stringify(before[key] ?? null)} → ${JSON.stringify(after[key] ?? null)}`);
}
