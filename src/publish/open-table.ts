import type { Contract } from '../contract/contract';
import { DeltaTable } from './delta/delta-table';
import { DirectoryTable } from './directory/directory-table';
import type { Table } from './table';

export interface OpenTableOptions {
  /** Told what went wrong without failing the call: retention after a commit. Default: nobody. */
  readonly onWarning?: (message: string) => void;
  /** The clock of `committedAt` and of retention. Default: the system's. */
  readonly now?: () => Date;
}

type Open = (contract: Contract, options: OpenTableOptions) => Table;

const FORMATS: Record<Contract['publish']['format'], Open> = {
  directory: (contract, options) => new DirectoryTable(contract, options),
  delta: (contract, options) => new DeltaTable(contract, options),
};

/**
 * The table a contract publishes to. Touches nothing until one of its methods is called.
 * @throws TerminalError `ContractError` when the format has no type for a column.
 */
export function openTable(contract: Contract, options: OpenTableOptions = {}): Table {
  return FORMATS[contract.publish.format](contract, options);
}
