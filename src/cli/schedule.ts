import type { Command } from 'commander';
import type { ScheduleClient, ScheduleDescription } from '@temporalio/client';
import { contractsFrom } from '../contract';
import type { Contract } from '../contract';
import { renderTable, safeText } from '../quality';
import type { AppliedSchedule } from '../schedule';
import type * as scheduleRoom from '../schedule';
import { UsageError } from './support/exit';
import { PIPELINE, examples, jsonOption } from './support/options';
import { note, print, printJson, styleFor, utc } from './support/output';
import { contractOf, pipelineName, pipelinesSpec } from './support/pipelines';
import { withTemporal } from './support/temporal';

/** Loaded late, with Temporal's client: commands that need neither start quickly. */
const room = (): typeof scheduleRoom => require('../schedule') as typeof scheduleRoom;

export function registerSchedule(program: Command): void {
  const schedule = program
    .command('schedule')
    .summary('apply, list, pause, resume, trigger or delete schedules')
    .description(
      'Temporal schedules made from contracts (`schedule:` with cron or every, timezone, overlap, catchupWindow, jitter, ' +
        'pauseOnFailure). Each starts an incremental run and fails with it. Their ids are tidegate/<pipeline>.',
    )
    .addHelpText(
      'after',
      examples(
        ['tidegate schedule apply transactions', 'create it, or bring it up to date'],
        ['tidegate schedule apply --all', 'for every contract that has a schedule'],
        ['tidegate schedule list', ''],
      ),
    );
  registerApply(schedule);
  registerList(schedule);
  registerAction(schedule, 'pause', 'stop starting runs', async (handle, text) => await handle.pause(text));
  registerAction(schedule, 'resume', 'start runs again', async (handle, text) => await handle.unpause(text));
  registerAction(schedule, 'trigger', 'start a run now', async (handle) => await handle.trigger());
  registerAction(schedule, 'delete', 'remove it from the server', async (handle) => await handle.delete());
}

function registerApply(schedule: Command): void {
  schedule
    .command('apply')
    .description('Make the server’s schedule what the contract says. Applying twice changes nothing.')
    .argument('[pipelines...]', 'pipelines’ names, or paths of their contracts')
    .option('--all', 'every contract that has a schedule')
    .addOption(jsonOption('what was done'))
    .action(async (names: string[], options: { all?: boolean; json?: boolean }) => {
      const contracts = options.all ? await allScheduled() : await Promise.all(names.map(contractOf));
      if (contracts.length === 0) {
        throw new UsageError(options.all ? 'no contract has a schedule' : 'name at least one pipeline, or give --all');
      }
      await withTemporal(async ({ client }) => {
        const applied: AppliedSchedule[] = [];
        for (const contract of contracts) {
          const result = await room().applySchedule(client, contract);
          applied.push(result);
          if (options.json) continue;
          print(`${result.scheduleId}: ${result.outcome}, ${result.schedule}`);
          for (const change of result.changes) print(`  ${change}`);
        }
        if (options.json) printJson(applied);
      });
    });
}

async function allScheduled(): Promise<Contract[]> {
  const spec = pipelinesSpec();
  if (spec === null) throw new UsageError('--all needs TIDEGATE_PIPELINES, or a folder ./pipelines');
  const listed = await contractsFrom(spec).list();
  const broken = listed.find(({ error }) => error !== null);
  if (broken?.error) throw broken.error;
  return listed.flatMap(({ contract }) => (contract?.schedule ? [contract] : []));
}

interface ListedSchedule {
  readonly pipeline: string;
  readonly scheduleId: string;
  readonly schedule: string;
  readonly paused: boolean;
  readonly note: string;
  readonly next: string | null;
  readonly last: string | null;
}

function registerList(schedule: Command): void {
  schedule
    .command('list')
    .description('List Tidegate’s schedules on the server.')
    .addOption(jsonOption('the schedules'))
    .action(async (options: { json?: boolean }) => {
      await withTemporal(async ({ client }) => {
        const listed: ListedSchedule[] = [];
        for await (const { scheduleId } of client.schedule.list()) {
          const pipeline = room().pipelineOf(scheduleId);
          // The list itself is eventually consistent and says less.
          if (pipeline !== null)
            listed.push(describeListed(pipeline, await client.schedule.getHandle(scheduleId).describe()));
        }
        listed.sort((a, b) => (a.pipeline < b.pipeline ? -1 : 1));
        if (options.json) printJson(listed);
        else print(renderList(listed));
      });
    });
}

function describeListed(pipeline: string, { scheduleId, action, state, info }: ScheduleDescription): ListedSchedule {
  const spec = action.memo?.['tidegateSchedule'];
  return {
    pipeline,
    scheduleId,
    schedule:
      typeof spec === 'object' && spec !== null
        ? room().describeSchedule(spec as Parameters<typeof scheduleRoom.describeSchedule>[0])
        : 'not applied by Tidegate',
    paused: state.paused,
    note: state.note ?? '',
    next: state.paused ? null : (info.nextActionTimes[0]?.toISOString() ?? null),
    last: info.recentActions.at(-1)?.takenAt.toISOString() ?? null,
  };
}

function renderList(listed: readonly ListedSchedule[]): string {
  if (listed.length === 0) return 'No schedules. Make one with: tidegate schedule apply <pipeline>';
  return renderTable(
    {
      head: ['pipeline', 'schedule', 'next', 'last', 'paused'],
      numeric: new Set(),
      rows: listed.map(({ pipeline, schedule, next, last, paused, note: why }) => [
        safeText(pipeline),
        safeText(schedule),
        next === null ? '' : utc(next),
        last === null ? 'never' : utc(last),
        paused ? safeText(why ? `yes: ${why}` : 'yes') : 'no',
      ]),
    },
    styleFor(),
  );
}

type ScheduleHandle = ReturnType<ScheduleClient['getHandle']>;

function registerAction(
  schedule: Command,
  verb: 'pause' | 'resume' | 'trigger' | 'delete',
  what: string,
  act: (handle: ScheduleHandle, text: string | undefined) => Promise<void>,
): void {
  const command = schedule
    .command(verb)
    .description(`For one pipeline’s schedule: ${what}.`)
    .argument('<pipeline>', PIPELINE)
    .addOption(jsonOption('what was done'));
  if (verb === 'pause' || verb === 'resume') command.option('--note <text>', 'why, for whoever lists schedules');
  command.action(async (argument: string, options: { note?: string; json?: boolean }) => {
    const pipeline = await pipelineName(argument);
    const scheduleId = room().scheduleIdOf(pipeline);
    await withTemporal(async ({ client, address }) => {
      try {
        await act(client.schedule.getHandle(scheduleId), options.note);
      } catch (error) {
        if ((error as Error).name !== 'ScheduleNotFoundError') throw error;
        throw new UsageError(
          `there is no schedule ${scheduleId} at ${address}. Make it with: tidegate schedule apply ${pipeline}`,
        );
      }
    });
    if (options.json) printJson({ pipeline, scheduleId, done: verb });
    else print(`${scheduleId}: ${PAST[verb]}`);
    if (verb === 'trigger') note(`Follow it with: tidegate status ${pipeline}`);
  });
}

const PAST = { pause: 'paused', resume: 'resumed', trigger: 'triggered', delete: 'deleted' } as const;
