import type { Command } from 'commander';
import { rowsDigest } from '../contract';
import type { Contract } from '../contract';
import type { LeftPartition } from '../discovery';
import { openTable } from '../publish';
import type { TableState } from '../publish';
import { formatCount, isGone, plural, renderFitting, restateCommand, safeText } from '../quality';
import { messageOf } from '../errors';
import type { PipelineState } from '../workflows/messages';
import { pipelineWorkflowId, stateQuery } from '../workflows/messages';
import { PIPELINE, examples, jsonOption } from './support/options';
import { print, printJson, styleFor, utc } from './support/output';
import { contractOf } from './support/pipelines';
import { rawZoneLines, rawZoneStatus } from './support/raw-zone';
import { withTemporal } from './support/temporal';

const QUERY_MS = 5_000;

/** What Temporal says of the pipeline; `state` is null when it says nothing, and `note` why. */
interface EntityStatus {
  readonly address: string | null;
  readonly state: PipelineState | null;
  readonly note: string | null;
}

export function registerStatus(program: Command): void {
  program
    .command('status')
    .summary('show a table, its pipeline, and what goes on')
    .description(
      'Show the table as committed (version, watermark, rows), what the next run finds in the raw zone and what is held ' +
        'until somebody decides, with the commands that do; and the pipeline’s workflow (running, queued, paused, recent ' +
        'outcomes). All but the last needs no server; when none answers, that is said and the command succeeds.',
    )
    .argument('<pipeline>', PIPELINE)
    .addOption(jsonOption('table, raw zone and pipeline'))
    .addHelpText(
      'after',
      examples(['tidegate status transactions', ''], ['tidegate status transactions --json', 'for monitoring']),
    )
    .action(async (argument: string, options: { json?: boolean }) => {
      const contract = await contractOf(argument);
      const state = await openTable(contract).read();
      const table = tableStatus(contract, state);
      const zone = await rawZoneStatus(contract, state);
      const entity = await entityStatus(contract.pipeline);
      const { left: _, ...source } = zone;
      if (options.json) printJson({ pipeline: contract.pipeline, table, source, temporal: entity });
      else print(`${renderTableStatus(contract, table, zone)}\n\n${renderEntity(contract.pipeline, entity)}`);
    });
}

function tableStatus(contract: Contract, state: TableState) {
  const digest = rowsDigest(contract);
  const partitions = [...state.partitions.values()];
  return {
    pipeline: contract.pipeline,
    path: contract.publish.path,
    format: contract.publish.format,
    version: state.version,
    watermark: state.watermark,
    committedAt: state.commit?.committedAt ?? null,
    partitions: partitions.length,
    published: partitions.reduce((sum, { counts }) => sum + counts.published, 0),
    quarantined: partitions.reduce((sum, { counts }) => sum + counts.quarantined, 0),
    undecided: partitions.reduce((sum, { undecided = 0 }) => sum + undecided, 0),
    unrecoverable: partitions.reduce((sum, { counts }) => sum + (counts.unrecoverable ?? 0), 0),
    stale: partitions
      .filter(({ rowsDigest: under }) => under !== digest)
      .map(({ date }) => date)
      .toSorted(),
  };
}
type TableStatus = ReturnType<typeof tableStatus>;

async function entityStatus(pipeline: string): Promise<EntityStatus> {
  try {
    return await withTemporal(async ({ client, connection, address }) => {
      try {
        const handle = client.workflow.getHandle(pipelineWorkflowId(pipeline));
        const { status } = await handle.describe();
        if (status.name !== 'RUNNING')
          return {
            address,
            state: null,
            note: `its workflow is ${status.name.toLowerCase()}; the next run starts it again`,
          };
        const state = await connection.withDeadline(Date.now() + QUERY_MS, () =>
          handle.query<PipelineState>(stateQuery),
        );
        return { address, state, note: null };
      } catch (error) {
        const { name } = error as Error;
        if (name === 'WorkflowNotFoundError')
          return { address, state: null, note: 'not started yet; the first run starts it' };
        return {
          address,
          state: null,
          note: `its workflow does not answer (is a worker running? tidegate worker): ${messageOf(error)}`,
        };
      }
    });
  } catch (error) {
    return { address: null, state: null, note: messageOf(error) };
  }
}

function renderTableStatus(
  contract: Contract,
  table: TableStatus,
  zone: Awaited<ReturnType<typeof rawZoneStatus>>,
): string {
  const { colors } = styleFor();
  const lines: [string, string][] = [['table', `${table.path} (${table.format})`]];
  if (table.version === 0) {
    lines.push(['version', 'none: no commits yet']);
  } else {
    lines.push(
      ['version', `${table.version}, committed ${utc(table.committedAt ?? '')}`],
      ['watermark', table.watermark ?? 'none'],
      ['partitions', formatCount(table.partitions)],
      ['rows', `${formatCount(table.published)} published, ${formatCount(table.quarantined)} in quarantine`],
    );
  }
  if (table.undecided > 0) lines.push(['undecided', undecidedLine(table)]);
  for (const line of staleLines(contract, table, zone.left)) lines.push(['stale', line]);
  for (const [index, line] of rawZoneLines(table.pipeline, zone).entries()) {
    lines.push([index === 0 ? 'raw zone' : '', line]);
  }
  return [colors.bold(table.pipeline), ...lines.map(([name, value]) => `  ${name.padEnd(11)}${safeText(value)}`)].join(
    '\n',
  );
}

function undecidedLine({ undecided, unrecoverable }: TableStatus): string {
  const certain = unrecoverable > 0 ? `, ${formatCount(unrecoverable)} of them for certain` : '';
  return (
    `${plural(undecided, 'superseded row')} whose raw files are gone may be due to come back${certain}: ` +
    'put the files back and run'
  );
}

/** What stands under earlier gates: a backfill restates it, unless its raw files are gone. */
function staleLines(contract: Contract, { stale }: TableStatus, left: readonly LeftPartition[]): string[] {
  const gone = new Set(left.filter(({ reason }) => isGone(reason)).map(({ date }) => date));
  const there = stale.filter((date) => !gone.has(date));
  const lost = stale.length - there.length;
  const under = (count: number): string => `${plural(count, 'partition')} under earlier gates`;
  return [
    ...(there.length > 0 ? [`${under(there.length)}, from ${there[0]} on: ${restateCommand(contract)}`] : []),
    ...(lost > 0 ? [`${under(lost)} whose raw files are gone: to restate, put them back first`] : []),
  ];
}

function renderEntity(pipeline: string, { address, state, note }: EntityStatus): string {
  const { colors } = styleFor();
  const title = `${colors.bold('Temporal')}${address ? `  ${colors.dim(address)}` : ''}`;
  if (!state) return `${title}\n  ${note ?? 'nothing known'}`;
  const { paused, running, queued, outcomes, served } = state;
  const lines = [
    `  paused     ${paused ? `since ${utc(paused.since)}${paused.note ? `: ${safeText(paused.note)}` : ''} (tidegate resume ${pipeline})` : 'no'}`,
    `  running    ${running ? `${running.kind}, since ${utc(running.since)}, request ${safeText(running.requestId)}` : 'nothing'}`,
    `  queued     ${formatCount(queued.count)}`,
    ...queued.ids.slice(0, 10).map((id) => `             ${safeText(id)}`),
    `  served     ${plural(served, 'request')}`,
  ];
  if (outcomes.length > 0) {
    const table = renderFitting(
      {
        head: ['finished (UTC)', 'kind', 'outcome', 'version', 'request'],
        numeric: new Set([3]),
        rows: outcomes
          .toReversed()
          .map(({ finishedAt, kind, status, version, requestId }) => [
            utc(finishedAt).replace(' UTC', ''),
            kind,
            status === 'failed' ? colors.red(status) : status,
            version === null ? '' : String(version),
            safeText(requestId),
          ]),
      },
      styleFor(),
      4,
    );
    lines.push(table);
    const last = outcomes.findLast((outcome) => outcome.status === 'failed');
    if (last?.message) lines.push(`Last failure (${utc(last.finishedAt)}): ${safeText(last.message)}`);
  }
  return [title, ...lines].join('\n');
}
