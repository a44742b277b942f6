import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pl from 'nodejs-polars';
import type { Delivery } from './sale';

/** Writes a delivery as `<raw>/date=<date>/<file>`, as Parquet. */
export function land(raw: string, { date, file, arrivedAt, sales }: Delivery): void {
  const text = (name: string, values: string[]) => pl.Series(name, values, pl.Utf8);
  const frame = pl.DataFrame({
    transaction_id: text(
      'transaction_id',
      sales.map((sale) => sale.transactionId),
    ),
    customer_id: text(
      'customer_id',
      sales.map((sale) => sale.customerId),
    ),
    number_of_cds: pl.Series(
      'number_of_cds',
      sales.map((sale) => sale.cds),
      pl.Int32,
    ),
    dollar_value: text(
      'dollar_value',
      sales.map((sale) => sale.dollars),
    ).cast(pl.Decimal(10, 2)),
    arrived_at: pl
      .Series('arrived_at', Array<number>(sales.length).fill(Date.parse(arrivedAt)), pl.Int64)
      .cast(pl.Datetime('ms', 'UTC')),
  });
  const folder = join(raw, `date=${date}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, file), frame.writeParquet());
}
