import type { Expr } from 'nodejs-polars';
import { PRIMARY_KEY_GATE } from '../contract/contract';
import type { Contract, RowGate } from '../contract/contract';
import { TerminalError } from '../errors';
import type { PartitionDate } from '../discovery/partition-date';
import { flagOf } from './gates';
import type { Subject } from './gates';
import { countedBy } from './gates/literals';
import { internalName, internalNames } from './names';
import { pl } from './polars';

/** A named flag over the declared columns; a `unique` gate's comes from the row set of that name. */
export interface Flag {
  readonly name: string;
  /** Internal name of the boolean column. */
  readonly column: string;
  readonly violates: Expr | { readonly gate: string };
}

/**
 * The flags of a partition's rows: the reserved `primaryKey` first, then the gates in contract order.
 * @throws TerminalError `ContractError` naming the gate that cannot be evaluated.
 */
export async function flagsOf(contract: Contract, date: PartitionDate): Promise<Flag[]> {
  const [key, ...otherKeys] = internalNames(contract, contract.deduplicate.primaryKey).map((name) =>
    pl.col(name).isNull(),
  );
  const flags: Flag[] = [
    {
      name: PRIMARY_KEY_GATE,
      column: flagColumn(0),
      violates: otherKeys.reduce((any, isNull) => any.or(isNull), key!),
    },
  ];
  for (const gate of contract.gates) {
    const violates = gate.kind === 'unique' ? { gate: gate.name } : await rowFlag(contract, date, gate);
    flags.push({ name: gate.name, column: flagColumn(flags.length), violates });
  }
  return flags;
}

const flagColumn = (index: number): string => `f${index}`;

async function rowFlag(contract: Contract, date: PartitionDate, gate: RowGate): Promise<Expr> {
  try {
    return await flagOf(gate, subjectOf(contract, date, gate.column));
  } catch (error) {
    if (!(error instanceof TerminalError) || error.message.startsWith(`gate ${gate.name}: `)) throw error;
    throw new TerminalError(error.type, `gate ${gate.name} on column ${gate.column}: ${error.message}`, {
      cause: error,
    });
  }
}

/** The column a gate names: a declared one, or the partition column, which is the folder's date in every row. */
function subjectOf(contract: Contract, date: PartitionDate, column: string): Subject {
  const index = contract.columns.findIndex(({ name }) => name === column);
  if (index >= 0) return { values: pl.col(internalName(index)), type: contract.columns[index]!.type };
  if (column === contract.source.partitionColumn) return { values: dateLiteral(date), type: { kind: 'date' } };
  throw new TerminalError('ContractError', `expected a declared column or ${contract.source.partitionColumn}`);
}

function dateLiteral(date: PartitionDate): Expr {
  const days = countedBy({ values: pl.lit(null), type: { kind: 'date' } })!.floor(date);
  return pl.lit(String(days)).cast(pl.Int32).cast(pl.Date);
}
