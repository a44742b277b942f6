import type { Command } from 'commander';
import type * as activitiesRoom from '../activities';
import type { Plan, PlanScope } from '../discovery';
import { planDigest } from '../discovery';
import { countHeld, discoveryOfPlan, planWarnings, renderDiscovery } from '../quality';
import { ExitCode, UsageError } from './support/exit';
import { leftOutLines } from './support/left-out';
import { PIPELINE, examples, jsonOption } from './support/options';
import { print, printJson, styleFor } from './support/output';
import { contractOf } from './support/pipelines';
import type { DecisionOptions, RangeOptions } from './support/scope';
import { addDecisionOptions, addRangeOptions, decisionsOf, rangeScope } from './support/scope';

export function registerPlan(program: Command): void {
  const command = program
    .command('plan')
    .summary('show what a run would do, and why')
    .description(
      'Make the plan that a run started now would execute, and print it: every partition, taken or left, with its ' +
        'reason. Nothing is changed, and no server is needed. Without a range, the plan of an incremental run.',
    )
    .argument('<pipeline>', PIPELINE);
  addDecisionOptions(addRangeOptions(command))
    .addOption(jsonOption('the whole plan and its digest'))
    .addHelpText(
      'after',
      examples(
        ['tidegate plan transactions', 'the next incremental run'],
        ['tidegate plan transactions --from 2026-05-01 --to 2026-05-07', 'a backfill'],
        ['tidegate plan transactions --include-late', 'with what is held for being late'],
        ['tidegate run transactions --plan <digest>', 'run exactly this plan, or fail'],
      ),
    )
    .action(async (pipeline: string, options: RangeOptions & DecisionOptions & { json?: boolean }) => {
      const scope = scopeOf(options);
      const contract = await contractOf(pipeline);
      // Loaded late: no other command needs Polars and Temporal to start.
      const { planNow } = require('../activities') as typeof activitiesRoom;
      const plan = await planNow(contract, scope);
      const digest = planDigest(plan);
      if (countHeld(plan.left) > 0) process.exitCode = ExitCode.Held;
      if (options.json) {
        printJson({ digest, plan });
        return;
      }
      const style = styleFor();
      const warnings = planWarnings(plan).map((warning) => `${style.colors.yellow('warning:')} ${warning}`);
      print(renderDiscovery(discoveryOfPlan(plan), style));
      print(
        ['', outlook(plan), ...leftOutLines(contract.pipeline, plan.left), ...warnings, `Plan ${digest}`].join('\n'),
      );
    });
}

/** @throws UsageError when a backfill's range and decisions of an incremental run are given together. */
function scopeOf(options: RangeOptions & DecisionOptions): PlanScope {
  const [range, decisions] = [rangeScope(options), decisionsOf(options)];
  if (range === null) return { kind: 'incremental', ...decisions };
  if (Object.keys(decisions).length === 0) return range;
  throw new UsageError('--include-late and --remove-gone are for incremental runs: a backfill takes its whole range');
}

function outlook(plan: Plan): string {
  if (plan.partitions.length === 0 && plan.removed.length === 0)
    return 'Nothing is selected: a run would make no commit.';
  const { watermark } = plan.base;
  const moves = watermark === plan.watermark ? 'stays' : `goes from ${watermark ?? 'none'} to`;
  return `A run would publish version ${plan.base.version + 1}; the watermark ${moves} ${plan.watermark ?? 'none'}.`;
}
