import { z } from 'zod';
import type { Literal } from '../contract';
import { readLiteral } from '../literal';
import { strict, text } from '../strict';
import { show } from '../values';
import { gateKind, gateName } from './gate-kind';

export interface OneOfGate {
  readonly kind: 'oneOf';
  readonly name: string;
  readonly column: string;
  readonly values: readonly Literal[];
}

const SHOWN = 5;
const VALUE = 'text, a number, or true or false; a null passes this gate anyway';

export const oneOf = gateKind({
  kind: 'oneOf',
  schema: strict({
    kind: z.literal('oneOf'),
    name: gateName,
    column: text('a column name').describe('The column whose values are looked up.'),
    values: z
      .array(z.union([z.string(), z.number(), z.boolean()], { error: VALUE }), { error: 'a list of values' })
      .min(1, { error: 'a list of one value or more' })
      .describe(
        'The allowed values, written as the column has them: numbers, text, true or false, ISO dates and times.',
      ),
  }).describe('Validity: the value must be one of a list.'),
  nulls: 'A null passes. NaN violates. -0 equals 0.',
  example: '{ kind: oneOf, column: currency, values: [USD, EUR] }',
  columnsOf: ({ column }) => [{ column, path: ['column'] }],
  make(source, context): OneOfGate {
    const type = context.typeOf(source.column);
    const values: Literal[] = [];
    for (const [index, value] of source.values.entries()) {
      const read = type === undefined ? { ok: true as const, value } : readLiteral(value, type);
      const found = show(value);
      if (!read.ok) {
        const { allowed, hint } = read;
        context.report({ path: ['values', index], problem: 'the value does not fit the column', found, allowed, hint });
      } else if (values.includes(read.value)) {
        context.report({ path: ['values', index], problem: 'the value stands twice', found });
      } else values.push(read.value);
    }
    return { kind: 'oneOf', name: context.name, column: source.column, values };
  },
  describe: ({ column, values }) =>
    `${column} in {${values.slice(0, SHOWN).join(', ')}${values.length > SHOWN ? `, … ${values.length - SHOWN} more` : ''}}`,
});
