import type { Commit } from '../publish';
import type { Report } from '../quality';
import type { RunSummary } from '../workflows/messages';

/** The bounded outcome of a committed run. `folder`: absolute path of the version. */
export function summaryOf(commit: Commit, report: Report, folder: string): RunSummary {
  return {
    requestId: commit.requestId,
    pipeline: commit.pipeline,
    kind: commit.scope.kind,
    status: 'committed',
    watermark: commit.watermark,
    commit: { version: commit.version, path: folder },
    totals: commit.totals,
    taken: commit.partitions,
    left: report.left.length,
    ignored: report.ignored.length,
    report: `${folder}/report.json`,
  };
}
