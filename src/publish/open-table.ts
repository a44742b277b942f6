import type { Contract } from '../contract/contract';
import { DirectoryTable } from './directory/directory-table';
import type { Table } from './table';

export interface OpenTableOptions {
  /** Told what went wrong without failing the call: retention after a commit. Default: nobody. */
  readonly onWarning?: (message: string) => void;
  /** The clock of `committedAt` and of retention. Default: the system's. */
  readonly now?: () => Date;
}

/** The table a contract publishes to. Touches nothing until one of its methods is called. */
export function openTable(contract: Contract, options: OpenTableOptions = {}): Table {
  switch (contract.publish.format) {
    case 'directory':
      return new DirectoryTable(contract, options);
  }
}
