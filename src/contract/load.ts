import type { Contract } from './contract';

/**
 * Reads a contract from a YAML or JSON file. Relative paths in it start from the file's folder.
 * @throws ContractError with every fault at once, each with file, line, column and key.
 */
export async function loadContract(_path: string): Promise<Contract> {
  throw new Error('not yet built');
}
