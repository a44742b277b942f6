import { sumReported } from './report-counts';
import type { Report } from './report-types';

/**
 * Several chunks' reports as one document: partitions and totals of all, the watermark from the
 * first to the last, the newest commit. `left` holds what no chunk took; `ignored` is the first
 * chunk's, since every chunk lists the same source.
 */
export function mergeReports(reports: readonly Report[]): Report {
  const [first] = reports;
  const last = reports.at(-1);
  if (!first || !last) throw new Error('no reports to merge');
  if (reports.length === 1) return first;
  const gates = [...new Set(reports.flatMap((report) => report.gates))];
  const partitions = reports.flatMap((report) => report.partitions);
  const done = [...partitions, ...reports.flatMap((report) => report.removed)];
  const taken = new Set(done.map(({ date }) => date));
  const overwritten = reports.flatMap((report) => report.overwritten ?? []);
  const left = new Map(reports.flatMap((report) => report.left).map((partition) => [partition.date, partition]));
  return {
    ...first,
    scope:
      'from' in first.scope && 'from' in last.scope
        ? { kind: 'backfill', from: first.scope.from, to: last.scope.to }
        : first.scope,
    watermark: { before: first.watermark.before, after: last.watermark.after },
    commit: reports.findLast((report) => report.commit !== null)?.commit ?? null,
    gates,
    partitions,
    removed: reports.flatMap((report) => report.removed),
    ...(overwritten.length > 0 && { overwritten }),
    totals: sumReported(gates, partitions),
    left: [...left.values()].filter(({ date }) => !taken.has(date)).toSorted((a, b) => (a.date < b.date ? -1 : 1)),
    stale: last.stale,
    warnings: [...new Set(reports.flatMap((report) => report.warnings))],
  };
}
