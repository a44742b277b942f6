import { z } from 'zod';
import { formatColumnType } from '../column-type';
import { strict, text } from '../strict';
import { show } from '../values';
import { gateKind, gateName } from './gate-kind';
import { patternFault } from './rust-pattern';

export interface MatchesGate {
  readonly kind: 'matches';
  readonly name: string;
  readonly column: string;
  readonly pattern: string;
}

export const matches = gateKind({
  kind: 'matches',
  schema: strict({
    kind: z.literal('matches'),
    name: gateName,
    column: text('a column name').describe('A string column.'),
    pattern: z
      .string({ error: 'a regular expression as text' })
      .min(1, { error: 'a regular expression that is not empty' })
      .describe(
        'A regular expression in the syntax of Rust, as in Polars: no look-around and no back-references. ' +
          'The whole value must match, so `^` and `$` are not needed. Put it in single quotes in YAML.',
      ),
  }).describe('Validity: the whole value must match a regular expression.'),
  nulls: 'A null passes. An empty text is a value.',
  example: `{ kind: matches, column: email, pattern: '[^@\\s]+@[^@\\s]+' }`,
  columnsOf: ({ column }) => [{ column, path: ['column'] }],
  make(source, context): MatchesGate {
    const type = context.typeOf(source.column);
    if (type !== undefined && type.kind !== 'string') {
      const found = `${show(source.column)}, of type ${formatColumnType(type)}`;
      context.report({ path: ['column'], problem: 'not a string column', found, allowed: 'a column of type string' });
    }
    const fault = patternFault(source.pattern);
    if (fault !== null) {
      const found = show(source.pattern);
      context.report({ path: ['pattern'], problem: fault, found, allowed: 'a regular expression in Rust syntax' });
    }
    return { kind: 'matches', name: context.name, column: source.column, pattern: source.pattern };
  },
  describe: ({ column, pattern }) => `${column} matches /${pattern}/`,
});
