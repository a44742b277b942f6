import type { ColumnType } from './contract';

/** What a column type may be, in words, for error messages and documentation. */
export const COLUMN_TYPES =
  'boolean, string, binary, date, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64, ' +
  'decimal(precision,scale), timestamp[ms|us|ns], timestamp[ms|us|ns, UTC]';

const SIMPLE = new Set(
  'boolean string binary date float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64'.split(' '),
);
const NESTED = /^(list|array|struct|map|record|object|json|fixed_size_list|large_list)\b/i;
const MAX_PRECISION = 38;
/** The problem of a text that is no type at all. */
export const NO_TYPE = 'not a column type';

/** The names other tools use, and ours. */
const SYNONYMS: Readonly<Record<string, string>> = {
  bool: 'boolean',
  str: 'string',
  text: 'string',
  varchar: 'string',
  utf8: 'string',
  bytes: 'binary',
  blob: 'binary',
  date32: 'date',
  tinyint: 'int8',
  smallint: 'int16',
  int: 'int32 or int64',
  integer: 'int32 or int64',
  long: 'int64',
  bigint: 'int64',
  float: 'float32 or float64',
  real: 'float32',
  double: 'float64',
  numeric: 'decimal(12,2)',
  decimal: 'decimal(12,2)',
  datetime: 'timestamp[us] or timestamp[us, UTC]',
  timestamp: 'timestamp[us] or timestamp[us, UTC]',
  timestamptz: 'timestamp[us, UTC]',
};

export type ParsedColumnType =
  | { readonly ok: true; readonly type: ColumnType }
  | { readonly ok: false; readonly problem: string; readonly hint?: string };

/** Parses a declared type, such as `decimal(12,2)`; says why when it is none. */
export function readColumnType(text: string): ParsedColumnType {
  const trimmed = text.trim();
  if (SIMPLE.has(trimmed)) return { ok: true, type: { kind: trimmed } as ColumnType };
  if (NESTED.test(trimmed)) {
    return { ok: false, problem: 'nested types are not supported: gates and keys work on plain values' };
  }
  const decimal = /^decimal\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)$/.exec(trimmed);
  if (decimal) return readDecimal(Number(decimal[1]), Number(decimal[2]));
  const timestamp = /^timestamp\[\s*(\w+)\s*(?:,\s*([^\]]*?)\s*)?\]$/.exec(trimmed);
  if (timestamp) return readTimestamp(timestamp[1] ?? '', timestamp[2]);
  const synonym = SYNONYMS[trimmed.toLowerCase()] ?? (SIMPLE.has(trimmed.toLowerCase()) ? trimmed.toLowerCase() : null);
  return { ok: false, problem: NO_TYPE, hint: synonym === null ? undefined : `did you mean ${synonym}?` };
}

function readDecimal(precision: number, scale: number): ParsedColumnType {
  if (precision < 1 || precision > MAX_PRECISION) {
    return { ok: false, problem: `the precision of a decimal is 1 to ${MAX_PRECISION} digits` };
  }
  if (scale > precision) return { ok: false, problem: 'the scale of a decimal is at most its precision' };
  return { ok: true, type: { kind: 'decimal', precision, scale } };
}

function readTimestamp(unit: string, zone: string | undefined): ParsedColumnType {
  if (unit !== 'ms' && unit !== 'us' && unit !== 'ns') {
    return { ok: false, problem: `a timestamp's unit is ms, us or ns, not ${unit}` };
  }
  if (zone === undefined) return { ok: true, type: { kind: 'timestamp', unit, zoned: false } };
  if (zone !== 'UTC') {
    return {
      ok: false,
      problem: `no zone but UTC: Parquet stores an instant in UTC whatever zone wrote it`,
      hint: `write timestamp[${unit}, UTC], or timestamp[${unit}] for local times without a zone`,
    };
  }
  return { ok: true, type: { kind: 'timestamp', unit, zoned: true } };
}

/** The type that `text` names, or null when it names none. */
export function parseColumnType(text: string): ColumnType | null {
  const parsed = readColumnType(text);
  return parsed.ok ? parsed.type : null;
}

/** The contract's text for a type: the inverse of {@link parseColumnType}. */
export function formatColumnType(type: ColumnType): string {
  switch (type.kind) {
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`;
    case 'timestamp':
      return type.zoned ? `timestamp[${type.unit}, UTC]` : `timestamp[${type.unit}]`;
    default:
      return type.kind;
  }
}
