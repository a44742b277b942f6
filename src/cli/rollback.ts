import type { Command } from 'commander';
import { formatCount, plural, renderReport } from '../quality';
import type { RollbackInput, RunSummary } from '../workflows/messages';
import { PIPELINE, examples, jsonOption, parseWhole } from './support/options';
import { readReport, runDocument } from './support/outcome';
import { print, printJson, styleFor } from './support/output';
import { pipelineName } from './support/pipelines';
import { printRequestFailure, request } from './support/request';

interface RollbackOptions {
  to: number;
  pause: boolean;
  requestId?: string;
  detach?: boolean;
  json?: boolean;
}

export function registerRollback(program: Command): void {
  program
    .command('rollback')
    .summary('bring an earlier version back, as a new one')
    .description(
      'Make a new version with the content of an earlier one: its files, watermark and consumed manifests. Nothing ' +
        'is computed or copied, and no version is lost. A request like a run: it waits for its turn. The pipeline ' +
        'is paused with it, since the next incremental run would bring the newer data back.',
    )
    .argument('<pipeline>', PIPELINE)
    .requiredOption('--to <version>', 'the version to bring back (see `tidegate history`)', parseWhole(1))
    .option('--no-pause', 'do not pause the pipeline')
    .option('--request-id <id>', 'an id of your own: asked for twice, it is committed once')
    .option('--detach', 'start it and do not wait')
    .addOption(jsonOption('the report'))
    .addHelpText(
      'after',
      examples(
        ['tidegate rollback transactions --to 12', 'version 12 again, and pause'],
        ['tidegate resume transactions', 'go on, once the cause is gone'],
      ),
    )
    .action(rollback);
}

async function rollback(argument: string, options: RollbackOptions): Promise<void> {
  const { to, pause } = options;
  const input: RollbackInput = {
    pipeline: await pipelineName(argument),
    to,
    pause,
    requestId: options.requestId,
  };
  await request<RunSummary>({ kind: 'rollback', input }, options, {
    show: async (summary) => {
      const report = await readReport(summary.report);
      if (options.json) printJson({ ...runDocument(summary, report), paused: summary.paused });
      else print([...(report ? [renderReport(report, styleFor()), ''] : []), outcomeOf(summary, to)].join('\n'));
    },
    fail: (error, context) => printRequestFailure(error, context, options),
  });
}

function outcomeOf({ pipeline, commit, taken, paused }: RunSummary, to: number): string {
  const changed = taken === 0 ? 'no partition differs' : `${plural(taken, 'partition')} changed`;
  const done = `Rolled back: version ${formatCount(commit!.version)} has the content of version ${formatCount(to)} (${changed}).`;
  const next = paused
    ? `${pipeline} is paused: the next incremental run would bring the newer data back. To go on: tidegate resume ${pipeline}`
    : `${pipeline} is not paused: the next incremental run brings the newer data back. To keep it away: tidegate pause ${pipeline}`;
  return `${done}\n${next}`;
}
