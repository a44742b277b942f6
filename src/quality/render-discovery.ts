import type { PartitionDate } from '../discovery/partition-date';
import type { Decision, IgnoredEntry, LeftPartition, Plan, RemovedPartition, RunScope } from '../discovery/plan-types';
import { dates, formatBytes, formatCount, plural } from './format';
import type { Report } from './report-types';
import { safeText } from '../safe-text';
import type { RenderStyle } from './text-table';
import { renderTable, runsOf } from './text-table';

/** What discovery decided, from a plan or from a report of it. */
export interface Discovery {
  readonly pipeline: string;
  readonly scope: RunScope;
  readonly watermark: PartitionDate | null;
  readonly windowFrom: PartitionDate | null;
  readonly partitions: readonly {
    readonly date: PartitionDate;
    readonly reason: string;
    readonly files: number;
    readonly rows: number;
    readonly bytes: number;
    readonly keys?: number;
  }[];
  readonly removed: readonly RemovedPartition[];
  readonly left: readonly LeftPartition[];
  readonly ignored: readonly IgnoredEntry[];
}

export function discoveryOfPlan(plan: Plan): Discovery {
  return {
    ...plan,
    watermark: plan.base.watermark,
    partitions: plan.partitions.map((partition) => ({ ...partition, files: partition.files.length })),
  };
}

export function discoveryOfReport(report: Report): Discovery {
  return {
    ...report,
    watermark: report.watermark.before,
    partitions: report.partitions.map((partition) => ({ ...partition, rows: partition.read })),
  };
}

/** Equal neighbours from this many on become one line: always for what is left, beyond {@link LONG} for what is taken. */
const COLLAPSE = 4;
const LONG = 60;
const MOST_LINES = 10;

interface Line {
  readonly date: PartitionDate;
  readonly verdict: 'yes' | 'no' | 'removed';
  readonly reason: string;
  readonly files: number;
  readonly rows: number;
  readonly bytes: number;
}

const NOTHING_READ = { files: 0, rows: 0, bytes: 0 };

/** `coupled (12 keys)`; without them where none is known. */
function reasonOf({ reason, keys }: Discovery['partitions'][number]): string {
  return keys === undefined || keys === 0 ? reason : `${reason} (${plural(keys, 'key')})`;
}

/** The table of every date, taken or left, with its reason; then hints and ignored entries. */
export function renderDiscovery(discovery: Discovery, style: RenderStyle): string {
  const { colors } = style;
  const blocks = [`${colors.bold('Partition discovery')}  ${colors.dim(describeWindow(discovery))}`];
  const lines: Line[] = [
    ...discovery.partitions.map((partition) => ({
      ...partition,
      reason: reasonOf(partition),
      verdict: 'yes' as const,
    })),
    ...discovery.removed.map(({ date, reason }) => ({ ...NOTHING_READ, date, reason, verdict: 'removed' as const })),
    ...discovery.left.map(({ date, reason }) => ({ ...NOTHING_READ, date, reason, verdict: 'no' as const })),
  ].toSorted((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0));
  if (lines.length === 0) {
    blocks.push('No partitions in the source.');
  } else {
    blocks.push(
      renderTable(
        {
          head: ['date', 'selected', 'reason', 'files', 'rows', 'bytes'],
          numeric: new Set([3, 4, 5]),
          rows: collapse(lines).map((run) => rowOf(run, style)),
          footer: totalsOf(discovery),
        },
        style,
      ),
    );
  }
  blocks.push(...hintLines(discovery.left), ...ignoredLines(discovery.ignored));
  return blocks.join('\n');
}

function describeWindow({ pipeline, scope, watermark, windowFrom }: Discovery): string {
  if (scope.kind === 'incremental') {
    const decided = `${decision('late included', scope.includeLate)}${decision('gone removed', scope.removeGone)}`;
    if (watermark === null) return `${pipeline}, incremental${decided}, no watermark yet: everything from the start`;
    return `${pipeline}, incremental${decided}, watermark ${watermark}, window from ${windowFrom ?? watermark} on`;
  }
  if (scope.kind === 'rollback') return `${pipeline}, rollback to version ${scope.to}`;
  if ('select' in scope) return `${pipeline}, backfill of ${scope.select === 'all' ? 'all' : 'stale'} partitions`;
  return `${pipeline}, backfill from ${scope.from} to ${scope.to}, both included`;
}

/** `, late included (2026-05-01)`. */
function decision(what: string, decided: Decision | undefined): string {
  if (decided === undefined) return '';
  return decided === 'all' ? `, ${what}` : `, ${what} (${dates(decided.map((date) => ({ date })))})`;
}

function collapse(lines: readonly Line[]): Line[][] {
  const taken = lines.filter(({ verdict }) => verdict === 'yes').length;
  return runsOf(lines, ({ verdict, reason }) => `${verdict} ${reason}`).flatMap((run) =>
    run.length >= COLLAPSE && (run[0]!.verdict !== 'yes' || taken > LONG) ? [run] : run.map((line) => [line]),
  );
}

function rowOf(run: readonly Line[], { colors }: RenderStyle): string[] {
  const first = run[0]!;
  const date = run.length === 1 ? first.date : `${first.date} … ${run.at(-1)!.date} (${formatCount(run.length)})`;
  if (first.verdict === 'removed') return [date, colors.yellow('removed'), safeText(first.reason), '', '', ''];
  if (first.verdict === 'no') return [date, 'no', safeText(first.reason), '', '', ''].map((cell) => colors.dim(cell));
  return [date, colors.green('yes'), safeText(first.reason), ...sums(run)];
}

function sums(lines: readonly { readonly files: number; readonly rows: number; readonly bytes: number }[]): string[] {
  const sum = (of: (line: (typeof lines)[number]) => number): number =>
    lines.reduce((total, line) => total + of(line), 0);
  return [
    formatCount(sum((line) => line.files)),
    formatCount(sum((line) => line.rows)),
    formatBytes(sum((line) => line.bytes)),
  ];
}

function totalsOf({ partitions, removed, left }: Discovery): string[] {
  return [
    'total',
    `${formatCount(partitions.length)} of ${formatCount(partitions.length + removed.length + left.length)}`,
    '',
    ...sums(partitions),
  ];
}

function hintLines(left: readonly LeftPartition[]): string[] {
  const hinted = left.filter((partition) => partition.hint !== undefined);
  const lines = runsOf(hinted, (partition) => `${partition.reason} ${partition.hint}`).map((run) => {
    const first = run[0]!;
    const when = run.length === 1 ? first.date : `${first.date} … ${run.at(-1)!.date}`;
    return `  ${when}  ${safeText(first.reason)}: ${safeText(first.hint!)}`;
  });
  return atMost(lines, 'partition');
}

function ignoredLines(ignored: readonly IgnoredEntry[]): string[] {
  if (ignored.length === 0) return [];
  const lines = ignored.map(
    ({ path, reason, count, bytes }) =>
      `  ${safeText(path)}  ${safeText(reason)} (${plural(count, 'file')}, ${formatBytes(bytes)})`,
  );
  return [`Ignored, ${plural(ignored.length, 'entry', 'entries')}:`, ...atMost(lines, 'entry', 'entries')];
}

function atMost(lines: readonly string[], one: string, many?: string): string[] {
  if (lines.length <= MOST_LINES) return [...lines];
  return [
    ...lines.slice(0, MOST_LINES),
    `  … and ${plural(lines.length - MOST_LINES, `more ${one}`, many && `more ${many}`)}`,
  ];
}
