import { z } from 'zod';
import type { Scope } from '../contract';
import { SCOPES } from '../scope';
import { columnNames, listOf, strict, word } from '../strict';
import { show } from '../values';
import { gateKind, gateName, type NamedColumns } from './gate-kind';

export interface UniqueGate {
  readonly kind: 'unique';
  readonly name: string;
  readonly columns: readonly string[];
  /** The dedup scope unless the gate says `partition`. */
  readonly scope: Scope;
}

const NAMES = 'a column name, or a list of them';

export const unique = gateKind({
  kind: 'unique',
  schema: strict({
    kind: z.literal('unique'),
    name: gateName,
    columns: columnNames(NAMES)
      .optional()
      .describe(
        'The columns that must not repeat together: one name, or a list. With the partition column among them, the others ' +
          'must not repeat inside a partition.',
      ),
    column: columnNames(NAMES).optional().describe('The same as `columns`; one of the two is given.'),
    scope: word(SCOPES)
      .optional()
      .describe('Where it must be unique: the scope of `deduplicate` unless this says `partition`.'),
  }).describe(
    'Uniqueness: every row of a group of two or more with the same values is flagged. It looks at the rows that are ' +
      'left after deduplication, those that another gate rejects included.',
  ),
  nulls: 'A null passes, also as a part of several columns. NaN equals NaN, and -0 equals 0.',
  example: '{ kind: unique, columns: [transaction_receipt], scope: partition }',
  columnsOf: namedColumns,
  make(source, context): UniqueGate {
    if (source.columns === undefined && source.column === undefined) {
      context.report({ path: ['columns'], problem: 'missing', allowed: NAMES });
    } else if (source.columns !== undefined && source.column !== undefined) {
      context.report({ path: ['column'], problem: 'column and columns both stand here', allowed: 'one of the two' });
    }
    const named = namedColumns(source);
    for (const [index, { column, path }] of named.entries()) {
      if (named.findIndex((other) => other.column === column) < index) {
        context.report({ path, problem: 'the column stands twice', found: show(column) });
      }
    }
    const { scope = context.scope ?? 'partition' } = source;
    if (scope !== 'partition' && context.scope !== undefined && scope !== context.scope) {
      context.report({
        path: ['scope'],
        problem:
          context.scope === 'table'
            ? 'a gate cannot look at a window where the deduplication has none'
            : 'a gate looks no further than the deduplication does',
        found: show(scope),
        allowed: `${context.scope === 'partition' ? '' : `${context.scope}, `}partition, since deduplicate.scope is ${context.scope}`,
      });
    }
    // The partition column has one value in a partition, and another in each: all that it says is where to look.
    const columns = named.map(({ column }) => column).filter((column) => column !== context.partitionColumn);
    if (columns.length === 0 && named.length > 0) {
      context.report({
        path: named[0]!.path,
        problem: 'the partition column alone is the same in every row of a partition',
        found: show(context.partitionColumn),
        allowed: 'further columns beside it',
      });
    }
    return { kind: 'unique', name: context.name, columns, scope: columns.length < named.length ? 'partition' : scope };
  },
  describe: ({ columns, scope }) =>
    `${columns.length === 1 ? columns[0] : `(${columns.join(', ')})`} is unique in the ${scope}`,
});

type Names = string | readonly string[];

function namedColumns(source: { columns?: Names; column?: Names }): NamedColumns {
  const key = source.columns === undefined ? 'column' : 'columns';
  const names = source[key];
  if (names === undefined) return [];
  return listOf(names).map((column, index) => ({ column, path: typeof names === 'string' ? [key] : [key, index] }));
}
