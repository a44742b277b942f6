import type { Command } from 'commander';
import { pauseUpdate, resumeUpdate } from '../workflows/messages';
import type { PauseInput, PipelineState } from '../workflows/messages';
import { updateEntity } from './support/entity';
import { PIPELINE, examples, jsonOption } from './support/options';
import { print, printJson, utc } from './support/output';
import { pipelineName } from './support/pipelines';

export function registerPause(program: Command): void {
  program
    .command('pause')
    .summary('let incremental runs of a pipeline finish at once, as skipped')
    .description(
      'Pause a pipeline: a run under way ends as usual, incremental requests after it finish at once as `skipped: paused`. ' +
        'Backfills still run. To stop only the schedule, see `tidegate schedule pause`.',
    )
    .argument('<pipeline>', PIPELINE)
    .option('--note <text>', 'why, for whoever looks at `tidegate status`', '')
    .addOption(jsonOption('the pipeline’s state'))
    .addHelpText('after', examples(['tidegate pause transactions --note "source is being repaired"', '']))
    .action(async (argument: string, options: { note: string; json?: boolean }) => {
      const pipeline = await pipelineName(argument);
      const input: PauseInput = { note: options.note };
      const state = await updateEntity<PipelineState>(pipeline, pauseUpdate, [input]);
      if (options.json) printJson(state);
      else
        print(
          `${pipeline} is paused since ${utc(state.paused?.since ?? new Date())}. To go on: tidegate resume ${pipeline}`,
        );
    });
}

export function registerResume(program: Command): void {
  program
    .command('resume')
    .summary('let incremental runs of a paused pipeline run again')
    .argument('<pipeline>', PIPELINE)
    .addOption(jsonOption('the pipeline’s state'))
    .addHelpText('after', examples(['tidegate resume transactions', '']))
    .action(async (argument: string, options: { json?: boolean }) => {
      const pipeline = await pipelineName(argument);
      const state = await updateEntity<PipelineState>(pipeline, resumeUpdate, []);
      if (options.json) printJson(state);
      else print(`${pipeline} runs again. Now: tidegate run ${pipeline}`);
    });
}
