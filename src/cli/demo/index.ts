import type { Command } from 'commander';
import { Option } from 'commander';
import { print } from '../support/output';
import { examples } from '../support/options';
import type { Format } from './formats';
import type * as storyModule from './story';

export function registerDemo(program: Command): void {
  program
    .command('demo')
    .summary('see all of it work, on a real server and real files, in under a minute')
    .description(
      'Tell Tidegate’s story on an embedded Temporal server, a worker process and Parquet files in a folder: a quiet ' +
        'week, new days with two bad rows, a late record, and a worker that is killed while it publishes.',
    )
    .option('--dir <folder>', 'where its files go: a new or empty folder (default: a temporary one)')
    .addOption(
      new Option('--format <format>', 'of the table: a folder of versions, or Delta Lake')
        .choices(['directory', 'delta'] satisfies Format[])
        .default('directory' satisfies Format),
    )
    .option('--keep', 'leave server, web UI and worker running until Ctrl-C')
    .addHelpText(
      'after',
      examples(
        ['tidegate demo', ''],
        ['tidegate demo --format delta', 'the same on a Delta table'],
        ['tidegate demo --keep --dir ./demo-data', 'to look around afterwards'],
      ),
    )
    .action(async (options: { dir?: string; format: Format; keep?: boolean }) => {
      const { tellStory } = require('./story') as typeof storyModule;
      await tellStory(options, print);
    });
}
