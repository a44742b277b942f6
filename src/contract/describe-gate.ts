import type { Gate } from './contract';

/** What a gate asks for, in a few words: `amount > 0`. */
export function describeGate(gate: Gate): string {
  return `${gate.kind} ${gate.kind === 'unique' ? gate.columns.join(', ') : gate.column}`;
}
