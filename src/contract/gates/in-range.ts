import { z } from 'zod';
import type { ColumnType, Literal } from '../contract';
import { compareLiterals, readLiteral } from '../literal';
import { strict, text } from '../strict';
import { show } from '../values';
import { gateKind, gateName, type GateContext } from './gate-kind';

export interface InRangeGate {
  readonly kind: 'inRange';
  readonly name: string;
  readonly column: string;
  readonly greaterThan?: Literal;
  readonly atLeast?: Literal;
  readonly lessThan?: Literal;
  readonly atMost?: Literal;
}

const BOUNDS = ['greaterThan', 'atLeast', 'lessThan', 'atMost'] as const;
type Bound = (typeof BOUNDS)[number];
const SIGN: Readonly<Record<Bound, string>> = { greaterThan: '>', atLeast: '>=', lessThan: '<', atMost: '<=' };

const bound = (meaning: string) =>
  z.union([z.number(), z.string()], { error: 'a number, or text' }).optional().describe(meaning);

export const inRange = gateKind({
  kind: 'inRange',
  schema: strict({
    kind: z.literal('inRange'),
    name: gateName,
    column: text('a column name').describe('The column whose values are compared.'),
    greaterThan: bound('The value must be greater than this. Not together with `atLeast`.'),
    atLeast: bound('The value must be this or greater. Not together with `greaterThan`.'),
    lessThan: bound('The value must be less than this. Not together with `atMost`.'),
    atMost: bound('The value must be this or less. Not together with `lessThan`.'),
  }).describe(
    'Validity: the value must lie between bounds, of which at least one is given. A bound fits the type of the ' +
      'column: a number for numeric columns, ISO text for dates and timestamps, text for strings (compared by their ' +
      'UTF-8 bytes). Bounds of int64, uint64 and decimal columns may be text, so that no digit is lost.',
  ),
  nulls: 'A null passes. NaN violates; infinities are compared as numbers.',
  example: '{ kind: inRange, column: amount, greaterThan: 0 }',
  columnsOf: ({ column }) => [{ column, path: ['column'] }],
  make(source, context): InRangeGate {
    const type = context.typeOf(source.column);
    const bounds: Partial<Record<Bound, Literal>> = {};
    for (const key of BOUNDS) {
      const value = source[key];
      if (value !== undefined) bounds[key] = readBound(key, value, type, context);
    }
    checkTogether(bounds, type, context);
    return { kind: 'inRange', name: context.name, column: source.column, ...bounds };
  },
  describe: (gate) =>
    BOUNDS.filter((key) => gate[key] !== undefined)
      .map((key) => `${gate.column} ${SIGN[key]} ${gate[key]}`)
      .join(' and '),
});

function readBound(key: Bound, value: Literal, type: ColumnType | undefined, context: GateContext): Literal {
  if (type === undefined) return value;
  const read = readLiteral(value, type);
  if (read.ok) return read.value;
  const { allowed, hint } = read;
  context.report({
    path: [key],
    problem: 'the bound does not fit the column',
    found: show(value),
    allowed,
    hint,
  });
  return value;
}

function checkTogether(bounds: Partial<Record<Bound, Literal>>, type: ColumnType | undefined, context: GateContext) {
  const lower = bounds.greaterThan ?? bounds.atLeast;
  const upper = bounds.lessThan ?? bounds.atMost;
  if (lower === undefined && upper === undefined) {
    context.report({ path: [], problem: 'no bound', allowed: `at least one of ${BOUNDS.join(', ')}` });
  }
  for (const [one, other] of [
    ['greaterThan', 'atLeast'],
    ['lessThan', 'atMost'],
  ] as const) {
    if (bounds[one] !== undefined && bounds[other] !== undefined) {
      context.report({ path: [other], problem: `${one} and ${other} both stand here`, allowed: 'one of the two' });
    }
  }
  if (type === undefined || lower === undefined || upper === undefined) return;
  if (!readLiteral(lower, type).ok || !readLiteral(upper, type).ok) return;
  const order = compareLiterals(lower, upper, type);
  const bothIncluded = bounds.greaterThan === undefined && bounds.lessThan === undefined;
  if (order > 0 || (order === 0 && !bothIncluded)) {
    context.report({
      path: [bounds.lessThan === undefined ? 'atMost' : 'lessThan'],
      problem: 'no value lies in this range',
      found: show(upper),
      allowed: `more than the lower bound, ${lower}`,
    });
  }
}
