import CliTable from 'cli-table3';
import { createColors } from 'picocolors';

/** How to render for one console. */
export interface RenderStyle {
  readonly colors: ReturnType<typeof createColors>;
  /** Columns of the terminal; tables that would be wider take another form. */
  readonly width: number;
}

/** No colours, and as wide as it takes: for files, pipes and tests. */
export const PLAIN: RenderStyle = { colors: createColors(false), width: Number.POSITIVE_INFINITY };

export interface TextTable {
  readonly head: readonly string[];
  /** Columns that hold numbers; they are aligned to the right. */
  readonly numeric: ReadonlySet<number>;
  readonly rows: readonly (readonly string[])[];
  /** The last row, under a rule of its own. */
  readonly footer?: readonly string[];
}

/** An aligned table with a rule under its head and one above its footer. */
export function renderTable(table: TextTable, style: RenderStyle): string {
  const { colors } = style;
  const text = new CliTable({
    head: table.head.map((cell) => colors.bold(cell)),
    colAligns: table.head.map((_, column) => (table.numeric.has(column) ? 'right' : 'left')),
    style: { head: [], border: [] },
  });
  text.push(...table.rows.map((row) => [...row]));
  if (table.footer) text.push(table.footer.map((cell) => colors.bold(cell)));
  const lines = text.toString().split('\n');
  // cli-table3 rules off every row or none.
  const rules = lines.flatMap((line, index) => (line.startsWith('├') ? [index] : []));
  const kept = new Set([rules[0], table.footer ? rules.at(-1) : undefined]);
  return lines.filter((line, index) => !line.startsWith('├') || kept.has(index)).join('\n');
}

/** The width, in columns, that {@link renderTable} would need. */
export function tableWidth(table: TextTable): number {
  return renderTable(table, PLAIN).indexOf('\n');
}

/** As {@link renderTable}, but when it would be too wide for the console, the text of one column is cut short. */
export function renderFitting(table: TextTable, style: RenderStyle, column: number): string {
  const excess = tableWidth(table) - style.width;
  if (excess <= 0) return renderTable(table, style);
  const widest = Math.max(...table.rows.map((row) => row[column]?.length ?? 0));
  const most = Math.max(SHORTEST, widest - excess);
  const cut = (cell: string): string => (cell.length > most ? `${cell.slice(0, most - 1)}…` : cell);
  return renderTable(
    { ...table, rows: table.rows.map((row) => row.map((cell, at) => (at === column ? cut(cell) : cell))) },
    style,
  );
}

const SHORTEST = 12;

/** Items in a row that `key` calls equal, gathered in groups, in their order. */
export function runsOf<T>(items: readonly T[], key: (item: T) => string): T[][] {
  const runs: T[][] = [];
  for (const item of items) {
    const current = runs.at(-1);
    if (current && key(current[0]!) === key(item)) current.push(item);
    else runs.push([item]);
  }
  return runs;
}
