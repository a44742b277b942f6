import type { Command } from 'commander';
import { renderReport, summaryLine } from '../quality';
import type { IncrementalRunInput, RunSummary } from '../workflows/messages';
import { ExitCode, Interrupted, exitCodeOf } from './support/exit';
import { detachedText, follow } from './support/follow';
import { PIPELINE, examples, jsonOption } from './support/options';
import { readReport, runDocument } from './support/outcome';
import { note, print, printFailure, printJson, styleFor } from './support/output';
import { pipelineName } from './support/pipelines';
import { progressLine } from './support/progress';
import { startRequester } from './support/requester';
import { withTemporal } from './support/temporal';

export interface FollowOptions {
  plan?: string;
  requestId?: string;
  detach?: boolean;
  json?: boolean;
}

/** The options that `run` and `backfill` share. */
export function addFollowOptions(command: Command): Command {
  return command
    .option('--plan <digest>', 'run exactly the plan with this digest (see `tidegate plan`), or fail')
    .option('--request-id <id>', 'an id of your own: asked for twice, it is committed once')
    .option('--detach', 'start it and do not wait')
    .addOption(jsonOption('the report'));
}

export function registerRun(program: Command): void {
  const command = program
    .command('run')
    .summary('run a pipeline incrementally, and follow it')
    .description(
      'Ask the pipeline for an incremental run, follow it, and print what came of it: partition discovery, quality ' +
        'report, record summary. One run at a time goes on for a table; others queue. Ctrl-C detaches, the run goes on.',
    )
    .argument('<pipeline>', PIPELINE);
  addFollowOptions(command)
    .addHelpText(
      'after',
      examples(
        ['tidegate run transactions', 'run and follow'],
        ['tidegate run transactions --json > report.json', 'for programs'],
        ['tidegate run transactions --detach', 'leave it to the worker'],
        ['tidegate run transactions --request-id 2026-05-08-nightly', 'safe to repeat'],
      ),
    )
    .action(run);
}

async function run(argument: string, options: FollowOptions): Promise<void> {
  const input: IncrementalRunInput = {
    pipeline: await pipelineName(argument),
    plan: options.plan,
    requestId: options.requestId,
  };
  await withTemporal(async (temporal) => {
    const requester = await startRequester(temporal.client, { kind: 'run', input });
    const { workflowId, requestId } = requester;
    if (options.detach) {
      if (options.json) printJson({ pipeline: input.pipeline, requestId, workflowId });
      else print(detachedText(requester));
      return;
    }
    try {
      const summary = await follow<RunSummary>(temporal, requester, await progressLine({ quiet: options.json }));
      const report = await readReport(summary.report);
      if (options.json) printJson(runDocument(summary, report));
      else print(report ? renderReport(report, styleFor()) : renderShort(summary));
    } catch (error) {
      failed(error, { pipeline: input.pipeline, requestId, workflowId }, options);
    }
  });
}

/** Prints why a request came to nothing, and sets the exit code. */
export function failed(
  error: unknown,
  context: { readonly pipeline: string; readonly requestId: string; readonly workflowId: string },
  { json = false }: { json?: boolean },
): void {
  process.exitCode = exitCodeOf(error);
  if (error instanceof Interrupted) {
    process.exitCode = ExitCode.Interrupted;
    return;
  }
  printFailure(error, { json, context });
  note(`More: tidegate status ${context.pipeline}`);
}

function renderShort(summary: RunSummary): string {
  const { pipeline, status, reason, commit, totals, requestId } = summary;
  if (status === 'skipped') {
    return reason === 'paused'
      ? `Skipped: ${pipeline} is paused. To go on: tidegate resume ${pipeline}`
      : `Skipped: ${reason ?? 'no reason given'}`;
  }
  const what = commit ? `published version ${commit.version}` : 'nothing to publish';
  return `${pipeline}: ${what}${totals ? ` (${summaryLine(totals)})` : ''}, request ${requestId}`;
}
