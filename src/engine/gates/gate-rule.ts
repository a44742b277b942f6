import type { Expr } from 'nodejs-polars';
import type { ColumnType, RowGate } from '../../contract/contract';

/** What a gate looks at: the values of one column. */
export interface Subject {
  readonly values: Expr;
  readonly type: ColumnType;
}

/**
 * From a gate and its column to one boolean expression: true where the row violates the gate, and
 * never null (SEMANTICS 5). May check the gate by running it.
 *
 * @throws TerminalError `ContractError` when the gate cannot be evaluated on a column of this type.
 */
export type GateRule<K extends RowGate['kind'] = RowGate['kind']> = (
  gate: Extract<RowGate, { kind: K }>,
  subject: Subject,
) => Expr | Promise<Expr>;
