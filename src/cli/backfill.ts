import type { Command } from 'commander';
import type { Report } from '../quality';
import { formatCount, mergeReports, renderReport, renderTable, safeText } from '../quality';
import type { BackfillInput, BackfillSummary, ChunkOutcome } from '../workflows/messages';
import { UsageError } from './support/exit';
import { failureDetails } from './support/failure';
import { PIPELINE, examples, parseWhole } from './support/options';
import { readReport } from './support/outcome';
import { note, print, printJson, styleFor } from './support/output';
import { pipelineName } from './support/pipelines';
import type { FollowOptions, RequestContext } from './support/request';
import { addFollowOptions, printRequestFailure, request } from './support/request';
import type { RangeOptions } from './support/scope';
import { addRangeOptions, rangeScope } from './support/scope';

type BackfillOptions = FollowOptions & RangeOptions & { chunkDays?: number };

export function registerBackfill(program: Command): void {
  const command = program
    .command('backfill')
    .summary('compute a range of dates again')
    .description(
      'Compute partitions again from their raw files and publish them, chunk by chunk in date order: each chunk is one ' +
        'commit, and scheduled runs go in between. It stops at the first failure; the same request goes on where it ' +
        'stopped. The watermark does not move. (In dedup scope `window`, a backfill is one chunk.)',
    )
    .argument('<pipeline>', PIPELINE);
  addFollowOptions(addRangeOptions(command).option('--chunk-days <n>', 'days a chunk (default: 31)', parseWhole(1)))
    .addHelpText(
      'after',
      examples(
        ['tidegate backfill transactions --from 2026-05-01 --to 2026-05-07', 'a week, both ends included'],
        ['tidegate backfill transactions --all', 'all, as after a new primary key'],
        ['tidegate backfill transactions --stale', 'what was published under earlier gates'],
      ),
    )
    .action(backfill);
}

async function backfill(argument: string, options: BackfillOptions): Promise<void> {
  const scope = rangeScope(options);
  if (!scope) throw new UsageError('a backfill needs a range: --from <date> --to <date>, or --all, or --stale');
  const { plan, requestId: ownId, chunkDays } = options;
  const { kind: _, ...range } = scope;
  const input: BackfillInput = { pipeline: await pipelineName(argument), ...range, chunkDays, plan, requestId: ownId };
  await request<BackfillSummary>({ kind: 'backfill', input }, options, {
    show: async ({ chunks }, context) => await printChunks(chunks, options, context),
    fail: async (error, context) => {
      const chunks = chunksOf(failureDetails(error));
      if (chunks.length > 0 && !options.json) await printChunks(chunks, options, context);
      printRequestFailure(error, { ...context, ...(chunks.length > 0 && { chunks }) }, options);
      if (chunks.length > 1) {
        note(`To go on where it stopped, give the same command with --request-id ${context.requestId}`);
      }
    },
  });
}

/** A report for each chunk; for several, the list of them last. */
async function printChunks(
  chunks: readonly ChunkOutcome[],
  options: BackfillOptions,
  { pipeline, requestId }: RequestContext,
): Promise<void> {
  const reports: Report[] = [];
  for (const chunk of chunks) {
    const report = await readReport(chunk.report);
    if (report) reports.push(report);
  }
  if (options.json) {
    const merged =
      reports.length > 0 ? mergeReports(reports) : { kind: 'backfill', partitions: [], left: [], ignored: [] };
    printJson({ ...merged, pipeline, requestId, chunks });
    return;
  }
  const style = styleFor();
  if (reports.length > 0) print(renderReport(mergeReports(reports), style));
  if (chunks.length > 1) print(`\n${style.colors.bold('Chunks')}\n${renderChunks(chunks)}`);
}

function renderChunks(chunks: readonly ChunkOutcome[]): string {
  return renderTable(
    {
      head: ['chunk', 'from', 'to', 'status', 'version', 'passed', 'rejected', 'note'],
      numeric: new Set([0, 4, 5, 6]),
      rows: chunks.map((chunk, index) => [
        String(index + 1),
        chunk.from ?? '',
        chunk.to ?? '',
        chunk.status,
        chunk.version === undefined ? '' : String(chunk.version),
        chunk.published === undefined ? '' : formatCount(chunk.published),
        chunk.quarantined === undefined ? '' : formatCount(chunk.quarantined),
        safeText(chunk.failure?.message ?? ''),
      ]),
    },
    styleFor(),
  );
}

function chunksOf(details: unknown): readonly ChunkOutcome[] {
  if (typeof details !== 'object' || details === null || !('chunks' in details)) return [];
  return Array.isArray(details.chunks) ? (details.chunks as ChunkOutcome[]) : [];
}
