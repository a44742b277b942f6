import type { Command } from 'commander';
import { plural, safeText } from '../quality';
import type { TemporalClient } from '../temporal';
import { cancelRunUpdate, pipelineWorkflowId, stateQuery } from '../workflows/messages';
import type { CancelRunInput, CancelRunResult, PipelineState } from '../workflows/messages';
import { ExitCode } from './support/exit';
import { updateExistingEntity } from './support/entity';
import { PIPELINE, examples, jsonOption } from './support/options';
import { note, print, printJson } from './support/output';
import { pipelineName } from './support/pipelines';
import { cancelRequester } from './support/requester';
import { withTemporal } from './support/temporal';

type Cancelled = CancelRunResult | { readonly requestId: string; readonly was: 'asked for' };

export function registerCancel(program: Command): void {
  program
    .command('cancel')
    .summary('cancel the run under way, or a request')
    .description(
      'Cancel the run under way, or the request that is named (a run’s, a rollback’s, a whole backfill’s, or that of ' +
        'one of its chunks). What a cancelled run had staged stays invisible and is removed by vacuum; a run that has ' +
        'published already ends as done. Exits with 1 when there is nothing to cancel.',
    )
    .argument('<pipeline>', PIPELINE)
    .option('--request <id>', 'this request, running or queued')
    .addOption(jsonOption('what was cancelled'))
    .addHelpText(
      'after',
      examples(
        ['tidegate cancel transactions', 'whatever runs now'],
        ['tidegate cancel transactions --request <id>', 'one request; `tidegate status` lists ids'],
      ),
    )
    .action(async (argument: string, options: { request?: string; json?: boolean }) => {
      const pipeline = await pipelineName(argument);
      const result = await cancel(pipeline, options.request);
      if (options.json) printJson({ pipeline, ...result });
      if (result.was === null) {
        note(
          options.request
            ? `${pipeline} neither runs nor queues the request ${options.request}.`
            : `${pipeline} runs nothing now.`,
        );
        process.exitCode = ExitCode.Failed;
      } else if (!options.json) {
        print(TEXT[result.was](String(result.requestId)));
        if ('others' in result && result.others?.length) {
          print(
            `Its run goes on for ${plural(result.others.length, 'other request')}: ${safeText(result.others.join(', '))}`,
          );
        }
      }
    });
}

const TEXT = {
  running: (id: string) => `Cancelling the request ${id}, which runs.`,
  queued: (id: string) => `Request ${id} was taken out of the queue.`,
  'asked for': (id: string) =>
    `Request ${id} is withdrawn; its run is cancelled unless somebody else waits for it too.`,
} as const;

const NOTHING: CancelRunResult = { requestId: null, was: null, others: [] };

async function cancel(pipeline: string, request: string | undefined): Promise<Cancelled> {
  const ask = async (requestId: string | undefined): Promise<CancelRunResult> => {
    const input: CancelRunInput = { requestId };
    return (await updateExistingEntity<CancelRunResult>(pipeline, cancelRunUpdate, input)) ?? NOTHING;
  };
  if (request === undefined) return await ask(undefined);
  // A cancelled requester withdraws its request, and a backfill sends no further chunk.
  const withdrawn = await withTemporal(({ client }) => cancelRequester(client, pipeline, request));
  if (withdrawn) return { requestId: request, was: 'asked for' };
  const result = await ask(request);
  if (result.was !== null) return result;
  const chunk = await withTemporal((temporal) => chunkOf(temporal, pipeline, request));
  return chunk === null ? NOTHING : await ask(chunk);
}

/** The chunk of a backfill with an id of its own that runs or waits now. */
async function chunkOf({ client }: TemporalClient, pipeline: string, request: string): Promise<string | null> {
  try {
    const { running, queued } = await client.workflow
      .getHandle(pipelineWorkflowId(pipeline))
      .query<PipelineState>(stateQuery);
    const ids = [...(running ? [running.requestId] : []), ...queued.ids];
    return ids.find((id) => id.startsWith(`${request}/`)) ?? null;
  } catch (error) {
    if ((error as Error).name === 'WorkflowNotFoundError') return null;
    throw error;
  }
}
