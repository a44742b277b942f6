import type { GateRule } from './gate-rule';

export const notNull: GateRule<'notNull'> = (_gate, { values }) => values.isNull();
