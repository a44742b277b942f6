import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pl from 'nodejs-polars';
import type { Report, RunSummary } from 'tidegate';

export interface Sale {
  readonly id: string;
  readonly shop: string | null;
  readonly amount: number;
}

/** The team's own activities, made with what they need, as Tidegate's are. */
export function createShopActivities(folder: string) {
  return {
    /** Writes a day's sales into the raw zone. Safe to repeat: it always writes the same file. */
    async collectSales({ date, sales }: { readonly date: string; readonly sales: readonly Sale[] }): Promise<number> {
      const frame = pl.DataFrame({
        sale_id: pl.Series(
          'sale_id',
          sales.map(({ id }) => id),
          pl.Utf8,
        ),
        shop: pl.Series(
          'shop',
          sales.map(({ shop }) => shop),
          pl.Utf8,
        ),
        amount: pl.Series(
          'amount',
          sales.map(({ amount }) => amount),
          pl.Float64,
        ),
        updated_at: pl
          .Series(
            'updated_at',
            sales.map(() => Date.parse(date)),
            pl.Int64,
          )
          .cast(pl.Datetime('ms')),
      });
      const partition = join(folder, 'raw', `date=${date}`);
      await mkdir(partition, { recursive: true });
      // Whole or not at all: names that begin with `_` are not read.
      const unfinished = join(partition, '_sales.parquet');
      await writeFile(unfinished, frame.writeParquet());
      await rename(unfinished, join(partition, 'sales.parquet'));
      return sales.length;
    },

    /** Tells the shop what came of its day, as the run's report has it. */
    async tellShop({ date, summary }: { readonly date: string; readonly summary: RunSummary }): Promise<string> {
      const report = JSON.parse(await readFile(summary.report!, 'utf8')) as Report;
      const day = report.partitions.find((partition) => partition.date === date);
      // What readers should open: one complete, unchanging version; in format `delta` the folder of the two Delta tables.
      const text = `${date}: ${day?.published} published, ${day?.quarantined} rejected, in ${summary.commit?.path}`;
      await writeFile(join(folder, 'message.txt'), text);
      return text;
    },
  };
}

export type ShopActivities = ReturnType<typeof createShopActivities>;
