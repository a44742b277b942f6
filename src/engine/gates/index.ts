import type { Expr } from 'nodejs-polars';
import type { RowGate } from '../../contract/contract';
import type { GateRule, Subject } from './gate-rule';
import { inRange } from './in-range';
import { matches } from './matches';
import { notNull } from './not-null';
import { oneOf } from './one-of';

export type { Subject } from './gate-rule';

/** One file a kind; a new kind of row-wise gate is one more line here. */
const RULES: { readonly [K in RowGate['kind']]: GateRule<K> } = { notNull, inRange, oneOf, matches };

/** The flag of a row-wise gate: one boolean expression, true where the row violates it, never null. */
export async function flagOf(gate: RowGate, subject: Subject): Promise<Expr> {
  return (RULES[gate.kind] as GateRule)(gate, subject);
}
