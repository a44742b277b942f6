import type { Expr } from 'nodejs-polars';
import type { SchemaElement } from 'hyparquet' with { 'resolution-mode': 'import' };
import type { CountedFile } from '../discovery/manifest';
import type { PlannedPartition } from '../discovery/plan-types';
import { storedColumnType, storedNames } from './footer';
import { storedColumn } from './polars-types';
import { failReading, sourceOf } from './source-files';
import { pl } from './polars';

/**
 * For the files that also store the partition column: a boolean expression, true where the stored
 * value is not the folder's date (SEMANTICS 2.6). A null contradicts nothing and is not counted.
 */
export async function misfiledChecks(
  sourceRoot: string,
  partition: PlannedPartition,
  column: string,
): Promise<ReadonlyMap<CountedFile, Expr>> {
  const checks = new Map<CountedFile, Expr>();
  for (const file of partition.files) {
    if (file.rows === 0) continue;
    const stored = await storedElement(sourceRoot, partition, file, column);
    if (stored === undefined || stored === null) continue;
    const date = isTimestamp(stored) ? storedColumn(column).cast(pl.Date) : storedColumn(column);
    checks.set(file, date.cast(pl.Utf8).neq(pl.lit(partition.date)).fillNull(pl.lit(false)));
  }
  return checks;
}

async function storedElement(
  sourceRoot: string,
  partition: PlannedPartition,
  file: CountedFile,
  column: string,
): Promise<SchemaElement | null | undefined> {
  try {
    const store = sourceOf(sourceRoot);
    if (!(await storedNames(store, file.path)).includes(column)) return undefined;
    return await storedColumnType(store, { key: file.path, size: file.size }, column);
  } catch (error) {
    return failReading(error, sourceRoot, partition, file);
  }
}

function isTimestamp({ type, logical_type: logical, converted_type: converted }: SchemaElement): boolean {
  return logical?.type === 'TIMESTAMP' || converted?.startsWith('TIMESTAMP') === true || type === 'INT96';
}
