import type { Counts } from './counts';
import { formatCount, plural } from './format';
import { discoveryOfReport, renderDiscovery } from './render-discovery';
import type { PartitionReport, Report } from './report-types';
import { safeText } from '../safe-text';
import type { RenderStyle, TextTable } from './text-table';
import { renderTable, runsOf, tableWidth } from './text-table';

/** Clean partitions beyond this many are shown as ranges. */
const LONG = 60;
const COLLAPSE = 4;

/** The three outputs of a run: partition discovery, quality report, record summary; then what came of it. */
export function renderReport(report: Report, style: RenderStyle): string {
  return [
    renderDiscovery(discoveryOfReport(report), style),
    ...(report.partitions.length > 0 ? [renderQuality(report, style), renderSummary(report, style)] : []),
    renderOutcome(report, style),
  ].join('\n\n');
}

/**
 * Violations by partition date and gate, with totals. A row can violate several gates, so the
 * rejected rows of a date can be fewer than its violations. When the table would be wider than the
 * console, one line per date and violated gate instead.
 */
export function renderQuality(report: Pick<Report, 'gates' | 'partitions' | 'totals'>, style: RenderStyle): string {
  const { colors } = style;
  const title = `${colors.bold('Quality report')}  ${colors.dim('rows that violate each gate, by partition date')}`;
  const wide = wideTable(report, style);
  const plainWide = wideTable(report, { ...style, colors: NO_COLORS });
  if (tableWidth(plainWide) <= style.width) return `${title}\n${renderTable(wide, style)}`;
  return `${title}\n${renderTable(longTable(report), style)}`;
}

const identity = (text: string | number | null | undefined): string => String(text);
const NO_COLORS = new Proxy({} as RenderStyle['colors'], { get: () => identity });

function wideTable(report: Pick<Report, 'gates' | 'partitions' | 'totals'>, { colors }: RenderStyle): TextTable {
  const cells = (counts: Counts): string[] => [
    ...report.gates.map((gate) => flagged(counts.violations[gate] ?? 0)),
    flagged(counts.quarantined),
  ];
  const flagged = (count: number): string => (count > 0 ? colors.red(formatCount(count)) : formatCount(count));
  return {
    head: ['date', ...report.gates.map(safeText), 'rejected'],
    numeric: new Set([...report.gates.keys(), report.gates.length].map((column) => column + 1)),
    rows: collapseClean(report.partitions).map((run) => [label(run), ...cells(run[0]!)]),
    footer: ['total', ...cells(report.totals)],
  };
}

function longTable(report: Pick<Report, 'gates' | 'partitions' | 'totals'>): TextTable {
  const lines = (date: string, counts: Counts): string[][] =>
    report.gates
      .filter((gate) => (counts.violations[gate] ?? 0) > 0)
      .map((gate) => [date, safeText(gate), formatCount(counts.violations[gate] ?? 0)]);
  return {
    head: ['date', 'gate', 'rows'],
    numeric: new Set([2]),
    rows: [
      ...report.partitions.flatMap((partition) => lines(partition.date, partition)),
      ...lines('total', report.totals),
    ],
    footer: ['total', 'rejected', formatCount(report.totals.quarantined)],
  };
}

/** In a long report, neighbours without a rejected row share a line (all their cells are 0). */
function collapseClean(partitions: readonly PartitionReport[]): PartitionReport[][] {
  if (partitions.length <= LONG) return partitions.map((partition) => [partition]);
  return runsOf(partitions, (partition) => String(partition.quarantined === 0)).flatMap((run) =>
    run[0]!.quarantined === 0 && run.length >= COLLAPSE ? [run] : run.map((partition) => [partition]),
  );
}

function label(run: readonly PartitionReport[]): string {
  const first = run[0]!;
  return run.length === 1 ? first.date : `${first.date} … ${run.at(-1)!.date} (${formatCount(run.length)})`;
}

const unrecoverableLine = (rows: number): [string, number, string] => [
  'unrecoverable',
  rows,
  'superseded rows that ought to come back; their raw files are gone',
];

const undecidedLine = (rows: number): [string, number, string] => [
  'undecided',
  rows,
  'superseded rows that may be due to come back; their raw files are gone',
];

/** Where every row read went. */
export function renderSummary(report: Pick<Report, 'totals'>, style: RenderStyle): string {
  const { totals } = report;
  const { colors } = style;
  const lines: [string, number, string][] = [
    ['read', totals.read, ''],
    ['superseded', totals.superseded, 'lost to a newer version of their primary key'],
    ['after dedup', totals.read - totals.superseded, ''],
    ['passed', totals.published, 'published'],
    ['rejected', totals.quarantined, 'in quarantine, with the gates they violate'],
    ['ambiguous', totals.ambiguous, 'primary keys whose newest rows tie and differ'],
    ['misfiled', totals.misfiled, 'rows whose stored date is not their folder’s'],
    ...(totals.unrecoverable === undefined ? [] : [unrecoverableLine(totals.unrecoverable)]),
    ...(totals.undecided === undefined ? [] : [undecidedLine(totals.undecided)]),
  ];
  const width = Math.max(...lines.map(([, count]) => formatCount(count).length));
  const names = Math.max(...lines.map(([name]) => name.length + 1));
  const body = lines.map(([name, count, note]) =>
    `  ${name.padEnd(Math.max(12, names))}${formatCount(count).padStart(width)}${note ? `  ${colors.dim(note)}` : ''}`.trimEnd(),
  );
  return [colors.bold('Record summary'), ...body].join('\n');
}

/** Version, watermark and warnings. */
export function renderOutcome(report: Report, { colors }: RenderStyle): string {
  const { commit, watermark } = report;
  const lines: string[] = [];
  if (commit) {
    lines.push(`Published as version ${commit.version}: ${safeText(commit.path)}`);
  } else {
    lines.push('Nothing to publish: no commit was made.');
  }
  lines.push(
    watermark.before === watermark.after
      ? `Watermark ${watermark.after ?? 'none'} (unchanged)`
      : `Watermark ${watermark.before ?? 'none'} → ${watermark.after ?? 'none'}`,
  );
  lines.push(...report.warnings.map((warning) => `${colors.yellow('warning:')} ${safeText(warning)}`));
  return lines.join('\n');
}

/** One line on a report: for a list of backfill chunks. */
export function summaryLine(totals: Counts): string {
  return (
    `${plural(totals.read, 'row')} read, ${formatCount(totals.superseded)} superseded, ` +
    `${formatCount(totals.published)} passed, ${formatCount(totals.quarantined)} rejected`
  );
}
