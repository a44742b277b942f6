import type { Contract } from './contract';
import type { ContractError } from './faults';

/** One place where a contract was looked for, and what was there. */
export interface ContractListing {
  /** Null when the file is too broken to tell. */
  readonly name: string | null;
  /** Null for a contract given as an object. */
  readonly file: string | null;
  readonly contract: Contract | null;
  readonly error: ContractError | null;
}

/** The contracts a worker or a command knows. */
export interface ContractRegistry {
  /**
   * The contract of a pipeline, read afresh: an edit needs no restart.
   * @throws ContractError when it is unknown, wrong, or stands in two files.
   */
  get(name: string): Promise<Contract>;
  /** Everything found, broken files included, by name and then by file. */
  list(): Promise<ContractListing[]>;
}

/** `spec`: the text of TIDEGATE_PIPELINES (folders or files, separated by `path.delimiter`), or contracts. */
export function contractsFrom(_spec: string | readonly Contract[]): ContractRegistry {
  throw new Error('not yet built');
}
