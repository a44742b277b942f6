import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Contract } from '../../contract';
import { contractsFrom, loadContract } from '../../contract';
import { UsageError } from './exit';

const NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const DEFAULT_FOLDER = 'pipelines';

/** Where pipelines are looked up by name; null when nothing says where. */
export function pipelinesSpec(): string | null {
  const spec = process.env['TIDEGATE_PIPELINES'];
  if (spec) return spec;
  return existsSync(DEFAULT_FOLDER) ? DEFAULT_FOLDER : null;
}

/** A contract's path rather than a pipeline's name. */
function isPath(argument: string): boolean {
  return /[/\\]/.test(argument) || ['.yaml', '.yml', '.json'].includes(path.extname(argument).toLowerCase());
}

/**
 * The contract of a pipeline, by name or by path.
 * @throws ContractError when it is wrong or unknown, UsageError when there is nowhere to look for the name.
 */
export async function contractOf(argument: string): Promise<Contract> {
  if (isPath(argument)) return loadContract(argument);
  const spec = pipelinesSpec();
  if (spec !== null) return contractsFrom(spec).get(argument);
  throw new UsageError(
    `no pipeline "${argument}": TIDEGATE_PIPELINES is not set and there is no folder ./${DEFAULT_FOLDER}. ` +
      `Set TIDEGATE_PIPELINES to the folder (or files) of your contracts, or give the path of a contract.`,
  );
}

/**
 * The name of a pipeline, for commands that only talk to its workflows. Its contract is checked
 * where it is at hand; where nothing says where contracts are, the worker knows it or says so.
 */
export async function pipelineName(argument: string): Promise<string> {
  if (isPath(argument) || pipelinesSpec() !== null) return (await contractOf(argument)).pipeline;
  if (NAME.test(argument)) return argument;
  throw new UsageError(
    `"${argument}" is no pipeline name: expected lower-case letters, digits, - and _, beginning with a letter or digit, at most 63; ` +
      'or the path of a contract',
  );
}
