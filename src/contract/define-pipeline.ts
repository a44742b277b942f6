import type { Contract } from './contract';
import type { PipelineSource } from './schema';

/**
 * A contract made in TypeScript, held to the same rules as a file.
 * Relative paths start from `baseDir` (default: the working directory).
 * @throws ContractError with every fault at once.
 */
export function definePipeline(_source: PipelineSource, _options: { readonly baseDir?: string } = {}): Contract {
  throw new Error('not yet built');
}
