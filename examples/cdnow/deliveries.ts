import { Temporal } from '@js-temporal/polyfill';
import type { Delivery, Sale } from './sale';

/**
 * What went wrong on the way. The original says nothing of arrivals, so this part is made up: the rows are real, their
 * delays are not. The months are replayed on the first of the next one, at noon, with a lookback of three days.
 */
const TROUBLE: Readonly<Record<string, Trouble>> = {
  // Inside the lookback of the next run, which takes them as new or changed.
  '1997-02-27': { kind: 'late', share: 1 / 3, arrives: '1997-03-03' },
  '1997-06-30': { kind: 'late', share: 1, arrives: '1997-07-02' },
  '1997-12-29': { kind: 'late', share: 1 / 2, arrives: '1998-01-05' },
  // Older than the window by then: the next run takes them as late.
  '1997-03-08': { kind: 'late', share: 1 / 4, arrives: '1997-05-20' },
  '1997-09-13': { kind: 'late', share: 1, arrives: '1997-11-05' },
  '1998-02-14': { kind: 'late', share: 1 / 2, arrives: '1998-04-02' },
  // Delivered without its prices, and again, with them, two weeks later.
  '1997-11-28': { kind: 'corrected', arrives: '1997-12-12' },
};

type Trouble =
  | {
      readonly kind: 'late';
      /** Of the day's lines, the last ones. */ readonly share: number;
      readonly arrives: string;
    }
  | { readonly kind: 'corrected'; readonly arrives: string };

const HOUR = 'T06:00:00Z';

/** Every file that ever arrives, in order of arrival: one a day, the next morning, but for the trouble above. */
export function deliveriesOf(days: ReadonlyMap<string, readonly Sale[]>): Delivery[] {
  const all = [...days].flatMap(([date, sales]) => dayOf(date, sales, TROUBLE[date]));
  return all.toSorted((a, b) => (a.arrivedAt < b.arrivedAt ? -1 : Number(a.arrivedAt > b.arrivedAt)));
}

function dayOf(date: string, sales: readonly Sale[], trouble: Trouble | undefined): Delivery[] {
  const nextMorning = Temporal.PlainDate.from(date).add({ days: 1 }).toString() + HOUR;
  const file = (arrivedAt: string, name: string, of: readonly Sale[]): Delivery[] =>
    of.length === 0 ? [] : [{ date, file: `${name}-${arrivedAt.slice(0, 10)}.parquet`, arrivedAt, sales: of }];
  if (trouble === undefined) return file(nextMorning, 'sales', sales);
  const then = trouble.arrives + HOUR;
  if (trouble.kind === 'corrected') {
    const unpriced = sales.map((sale) => ({ ...sale, dollars: '0.00' }));
    return [...file(nextMorning, 'sales', unpriced), ...file(then, 'corrected', sales)];
  }
  const onTime = sales.length - Math.ceil(sales.length * trouble.share);
  return [...file(nextMorning, 'sales', sales.slice(0, onTime)), ...file(then, 'late', sales.slice(onTime))];
}
