import { readFileSync } from 'node:fs';
import type { Sale } from './sale';

const LINE = /^(?<customer>\d{5}) (?<year>\d{4})(?<month>\d{2})(?<day>\d{2}) +(?<cds>\d+) +(?<dollars>\d+\.\d{2})$/;

/**
 * The lines of the original file by day, days and lines in order. The file names no transaction, and a customer may
 * have several lines a day, even equal ones. What identifies a line is its place: customer, day, and its number among
 * that customer's lines of that day. The file is sorted by customer and day, so the number is read off by counting.
 */
export function readMaster(file: string): Map<string, Sale[]> {
  const [, ...lines] = readFileSync(file, 'latin1').split('\r\n');
  const days = new Map<string, Sale[]>();
  const seen = new Map<string, number>();
  for (const line of lines) {
    if (line === '') continue;
    const fields = LINE.exec(line.trim())?.groups;
    if (!fields) throw new Error(`not a line of CDNOW_master.txt: ${JSON.stringify(line)}`);
    const { customer, year, month, day, cds, dollars } = fields as Record<string, string>;
    const customerDay = `${customer}-${year}${month}${day}`;
    const number = (seen.get(customerDay) ?? 0) + 1;
    seen.set(customerDay, number);
    const date = `${year}-${month}-${day}`;
    const sales = days.get(date) ?? [];
    days.set(date, sales);
    sales.push({
      transactionId: `${customerDay}-${number}`,
      customerId: customer!,
      cds: Number(cds),
      dollars: dollars!,
    });
  }
  return new Map([...days].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
