import type { Contract } from '../contract/contract';
import type { Plan } from '../discovery/plan-types';

/**
 * The command that restates what stands under earlier gates. In scope `window` all of the table, since keys are resolved
 * over what a run takes: the stale partitions alone know nothing of newer versions elsewhere.
 */
export function restateCommand({ pipeline, deduplicate }: Contract): string {
  return `tidegate backfill ${pipeline} ${deduplicate.scope === 'window' ? '--all' : '--stale'}`;
}

/** What to know of a plan before it is run; the report says it again. */
export function planWarnings({ scope, contract, partitions }: Plan): string[] {
  if (contract.deduplicate.scope !== 'window' || partitions.length === 0) return [];
  if (!('select' in scope) || scope.select !== 'stale') return [];
  return [
    'In scope window this backfill resolves keys over the stale partitions alone: a row that lost to a newer version in ' +
      `another partition is published again, beside it. To restate without that: ${restateCommand(contract)}`,
  ];
}
