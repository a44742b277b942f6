import { readFile } from 'node:fs/promises';
import type { Report } from '../../quality';
import { parseReport } from '../../quality';
import { messageOf } from '../../errors';
import type { RunSummary } from '../../workflows/messages';
import { note } from './output';

/** The report a run names; null when it has none or it lies where this machine cannot read it. */
export async function readReport(file: string | null | undefined): Promise<Report | null> {
  if (!file) return null;
  try {
    return parseReport(await readFile(file, 'utf8'), file);
  } catch (error) {
    note(`The report cannot be read from here: ${messageOf(error)}`);
    return null;
  }
}

/** The document `--json` prints of a run: its report, or, where there is none to read, the same keys as far as known. */
export function runDocument(summary: RunSummary, report: Report | null): object {
  const { status, reason } = summary;
  if (report) return { ...report, status };
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
    ignored: [],
    status,
    reason,
  };
}
