import type { Command } from 'commander';
import { renderReport } from '../quality';
import type { IncrementalRunInput, RunSummary } from '../workflows/messages';
import { ExitCode } from './support/exit';
import { PIPELINE, examples } from './support/options';
import { readReport, runDocument, shortOutcome } from './support/outcome';
import { print, printJson, styleFor } from './support/output';
import { pipelineName } from './support/pipelines';
import type { FollowOptions } from './support/request';
import { addFollowOptions, printRequestFailure, request } from './support/request';
import type { DecisionOptions } from './support/scope';
import { addDecisionOptions, decisionsOf } from './support/scope';

export function registerRun(program: Command): void {
  const command = program
    .command('run')
    .summary('run a pipeline incrementally, and follow it')
    .description(
      'Ask the pipeline for an incremental run, follow it, and print what came of it: partition discovery, quality ' +
        'report, record summary. One run at a time goes on for a table; others queue. Ctrl-C detaches, the run goes on.',
    )
    .argument('<pipeline>', PIPELINE);
  addFollowOptions(addDecisionOptions(command))
    .addHelpText(
      'after',
      examples(
        ['tidegate run transactions', 'run and follow'],
        ['tidegate run transactions --json > report.json', 'for programs'],
        ['tidegate run transactions --detach', 'leave it to the worker'],
        ['tidegate run transactions --request-id 2026-05-08-nightly', 'safe to repeat'],
        ['tidegate run transactions --include-late', 'take what incremental.late: hold holds'],
        ['tidegate run transactions --remove-gone 2026-04-30,2026-05-01', 'remove these, their raw files being gone'],
      ),
    )
    .action(run);
}

async function run(argument: string, options: FollowOptions & DecisionOptions): Promise<void> {
  const input: IncrementalRunInput = {
    pipeline: await pipelineName(argument),
    ...decisionsOf(options),
    plan: options.plan,
    requestId: options.requestId,
  };
  await request<RunSummary>({ kind: 'run', input }, options, {
    show: async (summary) => {
      const report = await readReport(summary.report);
      if (options.json) printJson(runDocument(summary, report));
      else print(report ? renderReport(report, styleFor()) : shortOutcome(summary));
      if ((summary.held ?? 0) > 0) process.exitCode = ExitCode.Held;
    },
    fail: (error, context) => printRequestFailure(error, context, options),
  });
}
