import type { RunScope } from '../discovery/plan-types';

/** Whether two requests ask for the same. */
export const sameScope = (a: RunScope, b: RunScope): boolean => canonical(a) === canonical(b);

/** A scope in words: `a backfill of 2026-05-01..2026-05-31`. */
export function scopeText(scope: RunScope): string {
  if (scope.kind === 'rollback') return `a rollback to version ${scope.to}`;
  if (scope.kind === 'backfill') {
    return `a backfill of ${'select' in scope ? scope.select : `${scope.from}..${scope.to}`}`;
  }
  const { includeLate, removeGone } = scope;
  const decided = Object.entries({ includeLate, removeGone }).filter(([, decision]) => decision !== undefined);
  const words = decided.map(([name, decision]) => `${name}: ${String(decision)}`);
  return `an incremental run${words.length > 0 ? ` (${words.join('; ')})` : ''}`;
}

const canonical = (scope: RunScope): string =>
  JSON.stringify(
    Object.entries(scope)
      .filter(([, value]) => value !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
