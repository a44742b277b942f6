/** Counts, reports and how they look on a console. Pure. */
export { addCounts, checkConservation, gateNames, sumCounts, zeroCounts } from './counts';
export type { Counts } from './counts';
export { countHeld, isGone, leftOut } from './left-out';
export type { LeftOut } from './left-out';
export type {
  OtherCommit,
  OverwrittenPartition,
  PartitionReport,
  RemovedReport,
  Report,
  ReportCounts,
} from './report-types';
export { reported, sumReported } from './report-counts';
export { buildReport, stalePartitions } from './build-report';
export type { ReportInput } from './build-report';
export { mergeReports } from './merge-reports';
export { planWarnings, restateCommand } from './restate';
export { countOverwritten, overwrittenWarnings, withOverwritten } from './overwritten';
export { parseReport, reportJsonSchema, reportSchema } from './report-schema';
export { discoveryOfPlan, discoveryOfReport, renderDiscovery } from './render-discovery';
export type { Discovery } from './render-discovery';
export { renderOutcome, renderQuality, renderReport, renderSummary, summaryLine } from './render-report';
export { dates, formatBytes, formatCount, formatDuration, plural } from './format';
export { safeBlock, safeText } from '../safe-text';
export { PLAIN, renderFitting, renderTable } from './text-table';
export type { RenderStyle, TextTable } from './text-table';
