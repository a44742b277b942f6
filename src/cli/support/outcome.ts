import { readFile } from 'node:fs/promises';
import type { Report } from '../../quality';
import { parseReport, plural, summaryLine } from '../../quality';
import { openStore } from '../../storage';
import { messageOf } from '../../errors';
import type { RunSummary } from '../../workflows/messages';
import { note } from './output';

/** The report a run names; null when it has none or it lies where this machine cannot read it. */
export async function readReport(file: string | null | undefined): Promise<Report | null> {
  if (!file) return null;
  try {
    return parseReport(await readText(file), file);
  } catch (error) {
    note(`The report cannot be read from here: ${messageOf(error)}`);
    return null;
  }
}

/** A table in an object store keeps its reports there too. */
async function readText(file: string): Promise<string> {
  if (!file.startsWith('s3://')) return readFile(file, 'utf8');
  const name = file.lastIndexOf('/') + 1;
  return (await openStore(file.slice(0, name - 1)).read(file.slice(name))).toString('utf8');
}

/** The document `--json` prints of a run: its report, or, where there is none to read, the same keys as far as known. */
export function runDocument(summary: RunSummary, report: Report | null): object {
  const { status, reason, held = 0 } = summary;
  if (report) return { ...report, status, held };
  const { requestId, pipeline, kind, watermark, commit, totals } = summary;
  return {
    requestId,
    pipeline,
    kind,
    watermark,
    commit,
    partitions: [],
    totals,
    left: [],
    removed: [],
    ignored: [],
    held,
    status,
    reason,
  };
}

/** What a run came to where its report cannot be read from here: a line, and one for each thing to look at. */
export function shortOutcome(summary: RunSummary): string {
  const { pipeline, status, reason, commit, totals, requestId, held = 0, overwritten = 0 } = summary;
  if (status === 'skipped') {
    return reason === 'paused'
      ? `Skipped: ${pipeline} is paused. To go on: tidegate resume ${pipeline}`
      : `Skipped: ${reason ?? 'no reason given'}`;
  }
  const what = commit ? `published version ${commit.version}` : 'nothing to publish';
  return [
    `${pipeline}: ${what}${totals ? ` (${summaryLine(totals)})` : ''}, request ${requestId}`,
    ...(held > 0 ? [`${plural(held, 'partition')} held until somebody decides: tidegate status ${pipeline}`] : []),
    ...(overwritten > 0
      ? [
          `warning: ${plural(overwritten, 'partition')} overwritten that other writers had changed: tidegate report ${pipeline} --version ${commit?.version}`,
        ]
      : []),
  ].join('\n');
}
