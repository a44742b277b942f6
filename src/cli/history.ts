import type { Command } from 'commander';
import { openTable } from '../publish';
import type { Commit } from '../publish';
import { formatCount, renderFitting, safeText } from '../quality';
import { PIPELINE, examples, jsonOption, parseWhole } from './support/options';
import { print, printJson, styleFor, utc } from './support/output';
import { contractOf } from './support/pipelines';

export function registerHistory(program: Command): void {
  program
    .command('history')
    .summary('list the commits of a table, newest first')
    .description('List the commits of a table, newest first. Reads the table alone: no server is needed.')
    .argument('<pipeline>', PIPELINE)
    .option('--limit <n>', 'how many', parseWhole(1), 20)
    .addOption(jsonOption('the commits'))
    .addHelpText(
      'after',
      examples(
        ['tidegate history transactions', 'the last 20 commits'],
        ['tidegate history transactions --json --limit 1', 'the newest one, for scripts'],
      ),
    )
    .action(async (pipeline: string, options: { limit: number; json?: boolean }) => {
      const contract = await contractOf(pipeline);
      const commits = await openTable(contract).history(options.limit);
      if (options.json) printJson({ pipeline: contract.pipeline, path: contract.publish.path, commits });
      else print(renderHistory(contract.pipeline, commits));
    });
}

function renderHistory(pipeline: string, commits: readonly Commit[]): string {
  if (commits.length === 0) return `${pipeline} has no commits yet. The first: tidegate run ${pipeline}`;
  return renderFitting(
    {
      head: [
        'version',
        'committed (UTC)',
        'kind',
        'dates',
        'partitions',
        'read',
        'passed',
        'rejected',
        'watermark',
        'by',
        'request',
      ],
      numeric: new Set([0, 4, 5, 6, 7]),
      rows: commits.map((commit) => [
        String(commit.version),
        utc(commit.committedAt).replace(' UTC', ''),
        commit.scope.kind === 'rollback' ? `rollback to ${commit.scope.to}` : commit.scope.kind,
        rangeOf(commit),
        `${formatCount(commit.partitions)}${commit.removed === undefined ? '' : ` (−${formatCount(commit.removed)})`}`,
        formatCount(commit.totals.read),
        formatCount(commit.totals.published),
        formatCount(commit.totals.quarantined),
        commit.watermark.after ?? 'none',
        safeText(commit.committedBy),
        safeText(commit.requestId),
      ]),
    },
    styleFor(),
    10,
  );
}

function rangeOf({ range }: Commit): string {
  if (!range) return '';
  return range.from === range.to ? range.from : `${range.from} … ${range.to}`;
}
