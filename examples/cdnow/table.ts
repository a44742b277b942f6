import type { Counts } from 'tidegate';

const WIDTHS = [22, 10, 8, 10, 8, 8, 8] as const;
const HEADS = ['run', 'partitions', 'read', 'superseded', 'passed', 'rejected', 'seconds'] as const;

export const HEADER = `${line(HEADS)}\n${line(WIDTHS.map((width) => '─'.repeat(width)))}`;

/** One run as a line of the table. */
export function row(run: string, partitions: number, counts: Counts, seconds: number | null): string {
  const { read, superseded, published, quarantined } = counts;
  const numbers = [partitions, read, superseded, published, quarantined].map((count) => count.toLocaleString('en'));
  return line([run, ...numbers, seconds === null ? '' : seconds.toFixed(1)]);
}

function line(cells: readonly string[]): string {
  return cells.map((cell, at) => (at === 0 ? cell.padEnd(WIDTHS[0]) : cell.padStart(WIDTHS[at] ?? 0))).join('  ');
}
