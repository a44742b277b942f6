import type { Expr } from 'nodejs-polars';
import type { InRangeGate } from '../../contract/contract';
import { TerminalError } from '../../errors';
import type { GateRule } from './gate-rule';
import { countedBy, floatLiteral, nullPasses, whereNotNull } from './literals';
import type { Counted } from './literals';
import { pl } from '../polars';

/** NaN violates; infinities compare as numbers (SEMANTICS 5.2). Text compares by its UTF-8 bytes. */
export const inRange: GateRule<'inRange'> = (gate, subject) => {
  const { values, type } = subject;
  const counted = countedBy(subject);
  if (counted !== null) return nullPasses(outsideUnits(gate, counted));
  switch (type.kind) {
    case 'float32':
    case 'float64': {
      const outside = outsideBounds(gate, values, (bound) => pl.lit(floatLiteral(bound, type)).cast(pl.Float64));
      return nullPasses(values.isNan().or(outside));
    }
    case 'string':
      return nullPasses(outsideBounds(gate, values, (bound) => pl.lit(String(bound))));
    default:
      throw new TerminalError('ContractError', `gate ${gate.name}: inRange cannot be used on a ${type.kind} column`);
  }
};

type BoundName = 'greaterThan' | 'atLeast' | 'lessThan' | 'atMost';

const BREAKS: Readonly<Record<BoundName, (values: Expr, bound: Expr) => Expr>> = {
  greaterThan: (values, bound) => values.ltEq(bound),
  atLeast: (values, bound) => values.lt(bound),
  lessThan: (values, bound) => values.gtEq(bound),
  atMost: (values, bound) => values.gt(bound),
};

function outsideBounds(gate: InRangeGate, values: Expr, literal: (bound: string | number | boolean) => Expr): Expr {
  const compared = values;
  const broken = (Object.keys(BREAKS) as BoundName[]).flatMap((name) => {
    const bound = gate[name];
    return bound === undefined ? [] : [BREAKS[name](compared, literal(bound))];
  });
  return anyOf(broken, values);
}

/** As the closed interval of whole units that passes. */
function outsideUnits(gate: InRangeGate, counted: Counted): Expr {
  const lows = [
    ...(gate.greaterThan === undefined ? [] : [counted.floor(gate.greaterThan) + 1n]),
    ...(gate.atLeast === undefined ? [] : [counted.ceil(gate.atLeast)]),
  ];
  const highs = [
    ...(gate.lessThan === undefined ? [] : [counted.ceil(gate.lessThan) - 1n]),
    ...(gate.atMost === undefined ? [] : [counted.floor(gate.atMost)]),
  ];
  const low = lows.reduce((a, b) => (a > b ? a : b), counted.min);
  const high = highs.reduce((a, b) => (a < b ? a : b), counted.max);
  if (low > counted.max || high < counted.min) return whereNotNull(counted.values, true);
  const broken: Expr[] = [];
  if (low > counted.min) broken.push(counted.values.lt(counted.literal(low)));
  if (high < counted.max) broken.push(counted.values.gt(counted.literal(high)));
  return anyOf(broken, counted.values);
}

function anyOf(flags: readonly Expr[], values: Expr): Expr {
  const [first, ...rest] = flags;
  return first === undefined ? whereNotNull(values, false) : rest.reduce((any, flag) => any.or(flag), first);
}
