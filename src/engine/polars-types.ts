import type { DataType, Expr } from 'nodejs-polars';
import type { Column, ColumnType } from '../contract/contract';
import { pl } from './polars';

const SIMPLE = {
  boolean: pl.Bool,
  string: pl.Utf8,
  date: pl.Date,
  float32: pl.Float32,
  float64: pl.Float64,
  int8: pl.Int8,
  int16: pl.Int16,
  int32: pl.Int32,
  int64: pl.Int64,
  uint8: pl.UInt8,
  uint16: pl.UInt16,
  uint32: pl.UInt32,
  uint64: pl.UInt64,
} as const;

/** The Polars type of a declared column; null for binary, which nodejs-polars has no name for (nothing widens to it). */
export function polarsType(type: ColumnType): DataType | null {
  switch (type.kind) {
    case 'binary':
      return null;
    case 'decimal':
      return pl.Decimal(type.precision, type.scale);
    case 'timestamp':
      return type.zoned ? pl.Datetime(type.unit, 'UTC') : pl.Datetime(type.unit);
    default:
      return SIMPLE[type.kind];
  }
}

/**
 * The stored column as its declared type. Only types that widen without loss get here (discovery
 * checks the schema of every file), and the cast is strict, so it can fail but never alter a value.
 */
export function asDeclared(column: Column): Expr {
  const type = polarsType(column.type);
  const stored = storedColumn(column.name);
  return type === null ? stored : stored.cast(type, true);
}

/** `pl.col` of exactly this name: Polars reads `*` and `^…$` as patterns. */
export function storedColumn(name: string): Expr {
  const isPattern = name === '*' || (name.startsWith('^') && name.endsWith('$'));
  return pl.col(isPattern ? `^${name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}$` : name);
}

export const isFloat = (type: ColumnType): boolean => type.kind === 'float32' || type.kind === 'float64';
