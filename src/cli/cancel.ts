import type { Command } from 'commander';
import type { TemporalClient } from '../temporal';
import { WorkflowType, cancelRunUpdate, pipelineWorkflowId, stateQuery } from '../workflows/messages';
import type { CancelRunInput, CancelRunResult, PipelineState } from '../workflows/messages';
import { ExitCode } from './support/exit';
import { updateExistingEntity } from './support/entity';
import { PIPELINE, examples, jsonOption } from './support/options';
import { note, print, printJson } from './support/output';
import { pipelineName } from './support/pipelines';
import { withTemporal } from './support/temporal';

type Cancelled = CancelRunResult | { readonly requestId: string; readonly was: 'asked for' };

export function registerCancel(program: Command): void {
  program
    .command('cancel')
    .summary('cancel the run under way, or a request')
    .description(
      'Cancel the run under way, or the request that is named (a run’s, a whole backfill’s, or that of one of its ' +
        'chunks). What a cancelled run had staged stays invisible and is removed by vacuum; a run that has published ' +
        'already ends as done. Exits with 1 when there is nothing to cancel.',
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
      }
    });
}

const TEXT = {
  running: (id: string) => `Cancelling the run of request ${id}.`,
  queued: (id: string) => `Request ${id} was taken out of the queue.`,
  'asked for': (id: string) =>
    `Request ${id} is withdrawn; its run is cancelled unless somebody else waits for it too.`,
} as const;

async function cancel(pipeline: string, request: string | undefined): Promise<Cancelled> {
  const withdrawn =
    request === undefined ? null : await withTemporal((temporal) => withdraw(temporal, pipeline, request));
  if (withdrawn) return withdrawn;
  const input: CancelRunInput = { requestId: request };
  const result = await updateExistingEntity<CancelRunResult>(pipeline, cancelRunUpdate, input);
  if (request === undefined || (result && result.was !== null)) return result ?? { requestId: null, was: null };
  const chunk = await withTemporal((temporal) => chunkOf(temporal, pipeline, request));
  if (chunk === null) return { requestId: null, was: null };
  const cancelled = await updateExistingEntity<CancelRunResult>(pipeline, cancelRunUpdate, { requestId: chunk });
  return cancelled ?? { requestId: null, was: null };
}

/**
 * Cancels the requester that made a request, when the id names it (`<workflowId>/<runId>`) and it
 * still waits: it withdraws, and a backfill sends no further chunk.
 */
async function withdraw({ client }: TemporalClient, pipeline: string, request: string): Promise<Cancelled | null> {
  const [workflowId, runId, ...rest] = request.split('/');
  if (!workflowId || !runId || rest.length > 0) return null;
  const handle = client.workflow.getHandle(workflowId);
  try {
    const { type, status } = await handle.describe();
    const ours = type === WorkflowType.incrementalRun || type === WorkflowType.backfill;
    if (!ours || status.name !== 'RUNNING' || !workflowId.includes(pipeline)) return null;
    await handle.cancel();
    return { requestId: request, was: 'asked for' };
  } catch (error) {
    if ((error as Error).name === 'WorkflowNotFoundError') return null;
    throw error;
  }
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
