import type { Column, Contract, ColumnType } from '../contract/contract';

/**
 * Inside the engine declared columns are called c0, c1, … in contract order: a user's column name can
 * then neither collide with the engine's own columns nor be taken by Polars for a pattern (`*`, `^a.*$`).
 */
export const internalName = (index: number): string => `c${index}`;

/** The engine's own columns. */
export const ROW = 'row';
export const FILE = 'file';
export const HASH = 'hash';
export const POSITION = 'position';
export const LOST = 'lost';
export const PASSED = 'passed';
export const REJECTED = 'rejected';
export const MISFILED = 'misfiled';

/** Internal names of the declared columns called `names`; all are declared, the contract was checked. */
export function internalNames(contract: Contract, names: readonly string[]): string[] {
  return names.map((name) => internalName(indexOf(contract, name)));
}

export function typeOf(contract: Contract, name: string): ColumnType {
  return contract.columns[indexOf(contract, name)]!.type;
}

function indexOf(contract: Contract, name: string): number {
  const index = contract.columns.findIndex((column) => column.name === name);
  if (index < 0) throw new Error(`the contract of ${contract.pipeline} declares no column ${JSON.stringify(name)}`);
  return index;
}

/** The declared columns called `names`, in that order. */
export function columnsOf(contract: Contract, names: readonly string[]): Column[] {
  return names.map((name) => contract.columns[indexOf(contract, name)]!);
}
