import { join } from 'node:path';
import { type Contract, definePipeline } from 'tidegate';

export type Format = Contract['publish']['format'];

/** The contract, in TypeScript: the same object as in YAML, checked by the compiler and then by Tidegate. */
export function salesPipeline(folder: string, format: Format = 'directory'): Contract {
  return definePipeline(
    {
      pipeline: 'sales',
      source: { path: join(folder, 'raw') },
      columns: { sale_id: 'string', shop: 'string', amount: 'float64', updated_at: 'timestamp[us]' },
      incremental: { lookback: 1 },
      deduplicate: { primaryKey: 'sale_id', orderBy: 'updated_at' },
      gates: [
        { kind: 'notNull', column: 'shop' },
        { kind: 'inRange', column: 'amount', greaterThan: 0 },
      ],
      publish: { path: join(folder, 'curated'), format },
    },
    { baseDir: folder },
  );
}
