import type { Command } from 'commander';
import { openTable } from '../publish';
import type { VacuumReport } from '../publish';
import { formatBytes, plural, renderTable, safeText } from '../quality';
import { PIPELINE, examples, jsonOption, parseAge } from './support/options';
import { print, printJson, styleFor } from './support/output';
import { contractOf } from './support/pipelines';

const MOST_ROWS = 50;

export function registerVacuum(program: Command): void {
  program
    .command('vacuum')
    .summary('remove what no kept version refers to')
    .description(
      'Remove the data of old versions and what interrupted attempts left behind. Without --apply it only says ' +
        'what it would remove. The commits themselves stay, and so do the newest publish.keep.versions versions.',
    )
    .argument('<pipeline>', PIPELINE)
    .option('--older-than <age>', 'only what is older, such as 36h or 7d (default: publish.keep.days)', parseAge)
    .option('--apply', 'remove it')
    .addOption(jsonOption('what was (or would be) removed'))
    .addHelpText(
      'after',
      examples(
        ['tidegate vacuum transactions', 'what would go, and why'],
        ['tidegate vacuum transactions --older-than 30d --apply', 'remove it'],
      ),
    )
    .action(async (pipeline: string, options: { olderThan?: number; apply?: boolean; json?: boolean }) => {
      const contract = await contractOf(pipeline);
      const olderThanHours = options.olderThan ?? contract.publish.keep.days * 24;
      const report = await openTable(contract).vacuum({ dryRun: options.apply !== true, olderThanHours });
      if (options.json) printJson(report);
      else print(renderVacuum(report, pipeline));
    });
}

function renderVacuum(report: VacuumReport, pipeline: string): string {
  if (report.removed.length === 0) return 'Nothing to remove.';
  const rows = report.removed
    .slice(0, MOST_ROWS)
    .map(({ path, bytes, why }) => [safeText(path), formatBytes(bytes), safeText(why)]);
  const more = report.removed.length - rows.length;
  const what = `${plural(report.removed.length, 'path')}, ${formatBytes(report.bytes)}`;
  return [
    renderTable({ head: ['path', 'bytes', 'why'], numeric: new Set([1]), rows }, styleFor()),
    ...(more > 0 ? [`… and ${plural(more, 'more', 'more')}`] : []),
    report.dryRun
      ? `Would remove ${what}. To do it, add --apply: tidegate vacuum ${pipeline} --apply`
      : `Removed ${what}.`,
  ].join('\n');
}
