import type { Logger } from '../logger';
import { type Commit, type Table, openTable } from '../publish';
import { overwrittenWarnings } from '../quality';
import type { RunSummary } from '../workflows/messages';
import { attempt } from './attempt';
import type { ActivityDeps } from './options';
import { runOf } from './run-folder';
import { summaryOf } from './summary';
import type { Activities } from './types';

export function readCommittedState({ contracts, policy }: ActivityDeps): Activities['readCommittedState'] {
  return ({ pipeline, requestId }) =>
    attempt('readCommittedState', async () => {
      if (requestId !== undefined) runOf(requestId);
      const table = openTable(await contracts.get(pipeline));
      const { version, watermark } = await table.read();
      const commit = requestId === undefined ? null : await table.find(requestId);
      const committed = commit && (await recorded(table, commit));
      return { version, watermark, committed, policy };
    });
}

/**
 * The outcome of a request that is committed, as its commit and report tell it. Who has just published hands in the
 * log, which is told what the commit overwrote of other writers' work.
 */
export async function recorded(table: Table, commit: Commit, logger?: Logger): Promise<RunSummary> {
  const report = await table.report(commit.version);
  for (const warning of overwrittenWarnings(report.overwritten ?? [])) {
    logger?.warn({ pipeline: commit.pipeline, version: commit.version }, warning);
  }
  const version = report.commit?.path ?? table.path;
  return summaryOf(commit, report, { version, report: await table.reportFile(commit.version) });
}
