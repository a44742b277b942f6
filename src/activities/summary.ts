import type { Commit } from '../publish';
import { type Report, countHeld, countOverwritten } from '../quality';
import type { RunSummary } from '../workflows/messages';

/** The bounded outcome of a committed run, with the places of the version and of its report. */
export function summaryOf(
  commit: Commit,
  report: Report,
  places: { readonly version: string; readonly report: string },
): RunSummary {
  const overwritten = countOverwritten(report.overwritten);
  return {
    requestId: commit.requestId,
    pipeline: commit.pipeline,
    kind: commit.scope.kind,
    scope: commit.scope,
    status: 'committed',
    watermark: commit.watermark,
    commit: { version: commit.version, path: places.version },
    totals: commit.totals,
    taken: commit.partitions,
    left: report.left.length,
    ignored: report.ignored.length,
    removed: report.removed.length,
    held: countHeld(report.left),
    ...(overwritten > 0 && { overwritten }),
    report: places.report,
  };
}
