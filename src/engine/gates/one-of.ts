import type { Expr } from 'nodejs-polars';
import type { Literal } from '../../contract/contract';
import { TerminalError } from '../../errors';
import { polarsType } from '../polars-types';
import type { GateRule, Subject } from './gate-rule';
import { countedBy, decimalText, floatLiteral, nullPasses, wrongLiteral } from './literals';
import { pl } from '../polars';

/** NaN violates, as no list can name it; -0 equals 0 (SEMANTICS 5.2). */
export const oneOf: GateRule<'oneOf'> = (gate, subject) => {
  const [known, listed] = knownValues(gate.name, gate.values, subject);
  return nullPasses(known.isIn(listed).not());
};

/** The column, and the list, in one type in which they compare exactly. */
function knownValues(name: string, values: readonly Literal[], subject: Subject): [column: Expr, listed: Expr] {
  const { type } = subject;
  const counted = countedBy(subject);
  if (counted !== null) {
    // A value between two units, or beyond the column's range, is equal to none.
    const units = values.flatMap((value) => {
      const floor = counted.floor(value);
      return floor === counted.ceil(value) && floor >= counted.min && floor <= counted.max ? [floor] : [];
    });
    const isTime = type.kind === 'date' || type.kind === 'timestamp';
    const stored = isTime ? pl.Int64 : polarsType(type)!;
    const texts = units.map((unit) => decimalText(unit, type.kind === 'decimal' ? type.scale : 0));
    return [counted.values, pl.lit(pl.Series('listed', texts, pl.Utf8).cast(stored))];
  }
  switch (type.kind) {
    case 'float32':
    case 'float64': {
      const numbers = values.map((value) => floatLiteral(value, type));
      return [subject.values.cast(pl.Float64), pl.lit(pl.Series('listed', numbers, pl.Float64))];
    }
    case 'string':
      return [subject.values, pl.lit(pl.Series('listed', values.map(String), pl.Utf8))];
    case 'boolean': {
      const flags = values.map((value) => {
        if (typeof value !== 'boolean') throw wrongLiteral(value, 'true or false');
        return value;
      });
      return [subject.values, pl.lit(pl.Series('listed', flags, pl.Bool))];
    }
    default:
      throw new TerminalError('ContractError', `gate ${name}: oneOf cannot be used on a ${type.kind} column`);
  }
}
