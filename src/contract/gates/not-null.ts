import { z } from 'zod';
import { strict, text } from '../strict';
import { gateKind, gateName } from './gate-kind';

export interface NotNullGate {
  readonly kind: 'notNull';
  readonly name: string;
  readonly column: string;
}

export const notNull = gateKind({
  kind: 'notNull',
  schema: strict({
    kind: z.literal('notNull'),
    name: gateName,
    column: text('a column name').describe('The column that must hold a value.'),
  }).describe('Completeness: the column must not be null.'),
  nulls: 'A null violates. NaN is a value and passes.',
  example: '{ kind: notNull, column: user_id }',
  columnsOf: ({ column }) => [{ column, path: ['column'] }],
  make: ({ column }, { name }): NotNullGate => ({ kind: 'notNull', name, column }),
  describe: ({ column }) => `${column} is not null`,
});
