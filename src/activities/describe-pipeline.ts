import { TerminalError } from '../errors';
import { attempt } from './attempt';
import type { ActivityDeps } from './options';
import type { Activities } from './types';

export function describePipeline({ contracts }: ActivityDeps): Activities['describePipeline'] {
  return ({ pipeline }) =>
    attempt('describePipeline', async () => {
      if (typeof pipeline !== 'string') {
        throw new TerminalError(
          'RequestError',
          `expected an input with the pipeline's name, such as {"pipeline":"transactions"}; found ${JSON.stringify(pipeline) ?? 'nothing'} for "pipeline"`,
        );
      }
      const contract = await contracts.get(pipeline);
      return { pipeline: contract.pipeline, scope: contract.deduplicate.scope };
    });
}
