import { resolve } from 'node:path';
import type { Contract } from './contract';
import { contractError, faultOf } from './faults';
import { readSource } from './read-source';
import type { PipelineSource } from './schema';

/**
 * A contract made in TypeScript, held to the same rules as a file.
 * Relative paths start from `baseDir` (default: the working directory).
 * Column names that are whole numbers (`2024`) come first, whatever their place: JavaScript orders them so.
 * @throws ContractError with every fault at once.
 */
export function definePipeline(source: PipelineSource, options: { readonly baseDir?: string } = {}): Contract {
  const read = readSource(source, { baseDir: resolve(options.baseDir ?? '.') });
  if (read.ok) return read.contract;
  const faults = read.findings.map((finding) => faultOf(finding, { file: null, line: null, column: null }));
  const name =
    typeof source?.pipeline === 'string' ? `the contract of ${JSON.stringify(source.pipeline)}` : 'the contract';
  throw contractError(name, faults);
}
