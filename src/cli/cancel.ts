import type { Command } from 'commander';
import { cancelRunUpdate } from '../workflows/messages';
import type { CancelRunInput, CancelRunResult } from '../workflows/messages';
import { ExitCode } from './support/exit';
import { updateExistingEntity } from './support/entity';
import { PIPELINE, examples, jsonOption } from './support/options';
import { note, print, printJson } from './support/output';
import { pipelineName } from './support/pipelines';

export function registerCancel(program: Command): void {
  program
    .command('cancel')
    .summary('cancel the run under way, or a queued request')
    .description(
      'Cancel the run under way, or the request that is named. What a cancelled run had staged stays invisible and is\n' +
        'removed by vacuum; a run that has published already ends as done. Exits with 1 when there is nothing to cancel.',
    )
    .argument('<pipeline>', PIPELINE)
    .option('--request <id>', 'this request, running or queued')
    .addOption(jsonOption('what was cancelled'))
    .addHelpText('after', examples(['tidegate cancel transactions', 'whatever runs now']))
    .action(async (argument: string, options: { request?: string; json?: boolean }) => {
      const pipeline = await pipelineName(argument);
      const input: CancelRunInput = { requestId: options.request };
      const nothing: CancelRunResult = { requestId: null, was: null };
      const result = (await updateExistingEntity<CancelRunResult>(pipeline, cancelRunUpdate, input)) ?? nothing;
      if (options.json) printJson({ pipeline, ...result });
      if (result.requestId === null) {
        note(
          options.request
            ? `${pipeline} neither runs nor queues the request ${options.request}.`
            : `${pipeline} runs nothing now.`,
        );
        process.exitCode = ExitCode.Failed;
      } else if (!options.json) {
        print(
          result.was === 'running'
            ? `Cancelling the run of request ${result.requestId}.`
            : `Request ${result.requestId} was taken out of the queue.`,
        );
      }
    });
}
