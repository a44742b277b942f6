import type { Command } from 'commander';
import { ExitCode, Interrupted, exitCodeOf } from './exit';
import { detachedText, follow } from './follow';
import { jsonOption } from './options';
import { note, print, printFailure, printJson } from './output';
import { progressLine } from './progress';
import { startRequester } from './requester';
import { withTemporal } from './temporal';

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
    .option(
      '--request-id <id>',
      'an id of your own: asked for twice, it is committed once (an incremental request that shares a run already asked for is committed under that one’s id)',
    )
    .option('--detach', 'start it and do not wait')
    .addOption(jsonOption('the report'));
}

export interface RequestContext {
  readonly pipeline: string;
  readonly requestId: string;
  readonly workflowId: string;
}

interface Endings<Summary> {
  readonly show: (summary: Summary, context: RequestContext) => Promise<void>;
  readonly fail: (error: unknown, context: RequestContext) => Promise<void> | void;
}

/** Starts a requester and follows it to its end; detached, it only says where to look. */
export async function request<Summary>(
  what: Parameters<typeof startRequester>[1],
  options: FollowOptions,
  then: Endings<Summary>,
): Promise<void> {
  await withTemporal(async (temporal) => {
    const requester = await startRequester(temporal.client, what);
    const { pipeline, requestId, workflowId } = requester;
    const context = { pipeline, requestId, workflowId };
    if (options.detach) {
      if (options.json) printJson(context);
      else print(detachedText(requester));
      return;
    }
    try {
      const line = await progressLine({ quiet: options.json });
      await then.show(await follow<Summary>(temporal, requester, line), context);
    } catch (error) {
      await then.fail(error, context);
    }
  });
}

/** Prints why a request came to nothing, and sets the exit code. */
export function printRequestFailure(
  error: unknown,
  context: RequestContext,
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
