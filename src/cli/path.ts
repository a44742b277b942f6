import path from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import { openTable } from '../publish';
import { PIPELINE, examples, jsonOption, parseWhole } from './support/options';
import { print, printJson } from './support/output';
import { contractOf } from './support/pipelines';

interface PathOptions {
  version?: number;
  curated?: boolean;
  quarantine?: boolean;
  json?: boolean;
}

export function registerPath(program: Command): void {
  program
    .command('path')
    .summary('print the folder of a version, for readers to pin')
    .description(
      'Print the real folder of one version, which holds curated/ and quarantine/. A reader that globs it ' +
        'sees one complete version, whatever is published meanwhile; a glob through the link `current` may not.',
    )
    .argument('<pipeline>', PIPELINE)
    .option('--version <n>', 'of which version (default: the newest)', parseWhole(1))
    .addOption(new Option('--curated', 'its curated folder').conflicts('quarantine'))
    .option('--quarantine', 'its quarantine folder')
    .addOption(jsonOption('the paths'))
    .addHelpText(
      'after',
      examples(
        ['ls $(tidegate path transactions --curated)', 'the partitions published'],
        [`duckdb -c "from '$(tidegate path transactions --curated)/*/*.parquet' limit 5"`, 'read them'],
      ),
    )
    .action(async (pipeline: string, options: PathOptions) => {
      const folder = await openTable(await contractOf(pipeline)).pathOf(options.version);
      const curated = path.join(folder, 'curated');
      const quarantine = path.join(folder, 'quarantine');
      if (options.json) printJson({ path: folder, curated, quarantine, report: path.join(folder, 'report.json') });
      else print(options.curated ? curated : options.quarantine ? quarantine : folder);
    });
}
