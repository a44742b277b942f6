import type { Command } from 'commander';
import { Option } from 'commander';
import { type VersionPlace, openTable } from '../publish';
import { PIPELINE, examples, jsonOption, parseTime, parseWhole } from './support/options';
import { note, print, printJson } from './support/output';
import { contractOf } from './support/pipelines';

interface PathOptions {
  version?: number;
  asOf?: Date;
  curated?: boolean;
  quarantine?: boolean;
  json?: boolean;
}

export function registerPath(program: Command): void {
  program
    .command('path')
    .summary('print where a version is read, for readers to pin')
    .description(
      'Print the real folder of one version, which holds curated/ and quarantine/. A reader that globs it ' +
        'sees one complete version, whatever is published meanwhile; a glob through the link `current` may not. ' +
        'Of a Delta table, the root of its two tables; --json has the versions of these to read.',
    )
    .argument('<pipeline>', PIPELINE)
    .option('--version <n>', 'of which version (default: the newest)', parseWhole(1))
    .addOption(
      new Option('--as-of <time>', 'of the version committed last by then, in UTC')
        .argParser(parseTime)
        .conflicts('version'),
    )
    .addOption(new Option('--curated', 'its curated folder').conflicts('quarantine'))
    .option('--quarantine', 'its quarantine folder')
    .addOption(jsonOption('the paths'))
    .addHelpText(
      'after',
      examples(
        ['ls $(tidegate path transactions --curated)', 'the partitions published'],
        [`duckdb -c "from '$(tidegate path transactions --curated)/*/*.parquet' limit 5"`, 'read them'],
        ['tidegate path transactions --as-of 2026-05-08T12:00Z', 'as it was at that time'],
      ),
    )
    .action(async (pipeline: string, { version, asOf, ...options }: PathOptions) => {
      const place = await openTable(await contractOf(pipeline)).pathOf({ version, asOf });
      if (options.json) return printJson(place);
      if ((version ?? asOf) !== undefined) noteDeltaVersions(place);
      print(options.curated ? place.curated : options.quarantine ? place.quarantine : place.path);
    });
}

/** The folders of a Delta table are the same in every version, so a reader must be told the version too. */
function noteDeltaVersions({ version, deltaVersions }: VersionPlace): void {
  if (deltaVersions === undefined) return;
  const { curated, quarantine } = deltaVersions;
  note(
    `Version ${version} is version ${curated} of the Delta table curated and ` +
      `${quarantine === null ? 'none' : `version ${quarantine}`} of quarantine; without a version, readers see the newest.`,
  );
}
