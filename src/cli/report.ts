import type { Command } from 'commander';
import { openTable } from '../publish';
import { renderReport } from '../quality';
import { PIPELINE, examples, jsonOption, parseWhole } from './support/options';
import { print, printJson, styleFor } from './support/output';
import { contractOf } from './support/pipelines';

export function registerReport(program: Command): void {
  program
    .command('report')
    .summary('print the report of a commit')
    .description('Print what a commit found: partition discovery, quality report, record summary. No server is needed.')
    .argument('<pipeline>', PIPELINE)
    .option('--version <n>', 'of which version (default: the newest)', parseWhole(1))
    .addOption(jsonOption('the report'))
    .addHelpText(
      'after',
      examples(
        ['tidegate report transactions', 'of the newest version'],
        ['tidegate report transactions --version 12 --json', 'an older one, for programs'],
      ),
    )
    .action(async (pipeline: string, options: { version?: number; json?: boolean }) => {
      const report = await openTable(await contractOf(pipeline)).report(options.version);
      if (options.json) printJson(report);
      else print(renderReport(report, styleFor()));
    });
}
