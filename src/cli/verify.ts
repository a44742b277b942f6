import type { Command } from 'commander';
import { openTable } from '../publish';
import type { VerifyReport } from '../publish';
import { formatBytes, formatCount, plural, renderTable, safeText } from '../quality';
import { ExitCode } from './support/exit';
import { PIPELINE, examples, jsonOption, parseWhole } from './support/options';
import { print, printJson, styleFor } from './support/output';
import { contractOf } from './support/pipelines';
import { progressLine } from './support/progress';

const MOST_ROWS = 50;

export function registerVerify(program: Command): void {
  program
    .command('verify')
    .summary('read a version whole and hold it against its commit')
    .description(
      'Read every file of a version and hold it against what its commit says: it exists, has its size, SHA-256, rows ' +
        'and columns; its statistics are true of its values; every row read is accounted for; manifests, ' +
        'fingerprints and the report agree; and nothing lies there that no commit names. Reads the table alone: ' +
        'no server is needed. Exit code 1 when something is not as it should be.',
    )
    .argument('<pipeline>', PIPELINE)
    .option('--version <n>', 'which version (default: the newest)', parseWhole(1))
    .addOption(jsonOption('what was found'))
    .addHelpText(
      'after',
      examples(
        ['tidegate verify transactions', 'the newest version'],
        ['tidegate verify transactions --version 12', 'before a rollback to it'],
      ),
    )
    .action(async (pipeline: string, options: { version?: number; json?: boolean }) => {
      const contract = await contractOf(pipeline);
      const progress = await progressLine({ quiet: options.json });
      let report: VerifyReport;
      try {
        report = await openTable(contract).verify({
          version: options.version,
          onProgress: ({ phase, done, total }) =>
            // Without a spinner each text is a line of its own.
            (process.stderr.isTTY || done === total) &&
            progress.update(`${phase}: ${formatCount(done)} of ${plural(total, 'file')}`),
        });
      } finally {
        progress.stop();
      }
      if (options.json) printJson({ pipeline: contract.pipeline, path: contract.publish.path, ...report });
      else print(renderVerdict(contract.pipeline, report));
      if (report.faults.length > 0) process.exitCode = ExitCode.Failed;
    });
}

function renderVerdict(pipeline: string, report: VerifyReport): string {
  const { version, partitions, files, bytes, rows, withoutDigest, faults } = report;
  const what = `version ${version} of ${pipeline}: ${plural(partitions, 'partition')}, ${plural(files, 'file')}, ${plural(rows, 'row')}, ${formatBytes(bytes)}`;
  const older =
    withoutDigest > 0
      ? [
          `${plural(withoutDigest, 'file')} ${withoutDigest === 1 ? 'has' : 'have'} no recorded SHA-256, being written before there was one.`,
        ]
      : [];
  if (faults.length === 0) return [`Verified ${what}. All is as the commit says.`, ...older].join('\n');
  const shown = faults
    .slice(0, MOST_ROWS)
    .map(({ check, path, date, message }) => [check, safeText(path ?? date ?? ''), safeText(message)]);
  const more = faults.length - shown.length;
  return [
    renderTable({ head: ['check', 'where', 'fault'], numeric: new Set(), rows: shown }, styleFor()),
    ...(more > 0 ? [`… and ${plural(more, 'more', 'more')}`] : []),
    `${plural(faults.length, 'fault')} in ${what}.`,
    ...older,
    `What to do: roll back to a version that verifies (tidegate rollback ${pipeline} --to <version>), restore the files from a backup, or compute the partitions again (tidegate backfill ${pipeline} --from <date> --to <date>).`,
  ].join('\n');
}
