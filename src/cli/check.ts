import type { Command } from 'commander';
import type { Contract } from '../contract';
import type { SchemaFault, SourceCheck } from '../discovery';
import { checkSource } from '../discovery';
import { type Table, openTable } from '../publish';
import { formatBytes, formatCount, plural, safeBlock, safeText } from '../quality';
import { openStore } from '../storage';
import { ExitCode } from './support/exit';
import { explain } from './support/failure';
import { PIPELINE, examples, jsonOption } from './support/options';
import { print, printJson, styleFor } from './support/output';
import { contractOf } from './support/pipelines';

const MOST_FAULTS = 20;

/** What was found of one part: faults make the check fail. */
interface Finding {
  readonly part: 'contract' | 'source' | 'target';
  readonly ok: boolean;
  readonly text: string;
  readonly faults: readonly string[];
}

export function registerCheck(program: Command): void {
  program
    .command('check')
    .summary('hold a contract against its source and target')
    .description(
      'Check a contract: its own faults, all at once; then the columns of the real source files (of the newest 31 ' +
        'partitions, or all); then the target: whether it is this table, and whether its store honours conditional ' +
        'writes, which a small object is written and deleted for. Changes nothing else, and needs no server. Exits ' +
        'with 2 when the contract is wrong, and with 1 when source or target are.',
    )
    .argument('<pipeline>', PIPELINE)
    .option('--all', 'open the files of every partition')
    .addOption(jsonOption('the findings'))
    .addHelpText(
      'after',
      examples(
        ['tidegate check pipelines/transactions.yaml', 'before it is deployed'],
        ['tidegate check transactions --all', 'open every file'],
      ),
    )
    .action(async (argument: string, options: { all?: boolean; json?: boolean }) => {
      const contract = await contractOf(argument);
      const table = openTable(contract);
      const findings = [
        describeContract(contract),
        await source(contract, options.all === true),
        await target(contract, table),
      ];
      const ok = findings.every((finding) => finding.ok);
      if (options.json) printJson({ pipeline: contract.pipeline, ok, findings });
      else print(render(findings));
      if (!ok) process.exitCode = ExitCode.Failed;
    });
}

function describeContract(contract: Contract): Finding {
  const { deduplicate, gates, columns, pipeline } = contract;
  const text =
    `${pipeline}: ${plural(columns.length, 'column')}, key ${deduplicate.primaryKey.join(', ')} ` +
    `(scope ${deduplicate.scope}), ${plural(gates.length, 'gate')}`;
  return { part: 'contract', ok: true, text, faults: [] };
}

async function source(contract: Contract, all: boolean): Promise<Finding> {
  const { path } = contract.source;
  try {
    const found = await checkSource(contract, openStore(path), all ? { newest: 'all' } : {});
    const faults = [...found.unreadable, ...found.faults.map((fault) => describeFault(fault))];
    return { part: 'source', ok: faults.length === 0, text: `${path}: ${describeSource(found)}`, faults };
  } catch (error) {
    return { part: 'source', ok: false, text: path, faults: [explain(error).message] };
  }
}

function describeFault({ file, column, expected, found, advice }: SchemaFault): string {
  return `${file}: column ${column}: expected ${expected}, found ${found}; ${advice}`;
}

function describeSource({ partitions, files, bytes, first, last, ignored, checked }: SourceCheck): string {
  if (partitions === 0) return `no partitions yet${ignoredText(ignored.length)}`;
  const opened =
    checked.partitions < partitions ? `, the newest ${formatCount(checked.partitions)} opened` : ', all opened';
  return (
    `${plural(partitions, 'partition')} (${first} … ${last}), ${plural(files, 'file')}, ${formatBytes(bytes)}${opened} ` +
    `(${plural(checked.rows, 'row')})${ignoredText(ignored.length)}`
  );
}

function ignoredText(count: number): string {
  return count === 0 ? '' : `; ${plural(count, 'entry', 'entries')} ignored (tidegate plan lists them)`;
}

async function target({ publish: { path } }: Contract, table: Table): Promise<Finding> {
  try {
    const { version, watermark } = await table.read();
    await table.checkStore();
    const text = version === 0 ? 'no commits yet' : `version ${version}, watermark ${watermark ?? 'none'}`;
    return { part: 'target', ok: true, text: `${path}: ${text}`, faults: [] };
  } catch (error) {
    return { part: 'target', ok: false, text: path, faults: [explain(error).message] };
  }
}

function render(findings: readonly Finding[]): string {
  const { colors } = styleFor();
  return findings
    .flatMap(({ part, ok, text, faults }) => {
      const shown = faults.slice(0, MOST_FAULTS).map((fault) => `  ${safeBlock(fault).replaceAll('\n', '\n  ')}`);
      const more = faults.length - shown.length;
      return [
        `${ok ? colors.green('ok   ') : colors.red('fault')} ${part.padEnd(9)} ${safeText(text)}`,
        ...shown,
        ...(more > 0 ? [`  … and ${plural(more, 'more fault')}`] : []),
      ];
    })
    .join('\n');
}
