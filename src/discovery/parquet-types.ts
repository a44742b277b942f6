import type { SchemaElement } from 'hyparquet' with { 'resolution-mode': 'import' };
import type { ColumnType } from '../contract/contract';

/** A column's type as a file's schema has it, or words for one that no contract can declare. */
export type FoundType =
  | { readonly type: ColumnType }
  | { readonly unsupported: string; /** What to do about it. */ readonly hint?: string };

const INT96_HINT =
  'write it as a standard timestamp (in Spark: spark.sql.parquet.outputTimestampType=TIMESTAMP_MICROS)';

/**
 * The type of a top-level Parquet column, by its logical type, else its converted type, else its
 * physical type (https://github.com/apache/parquet-format/blob/master/LogicalTypes.md).
 */
export function typeOfColumn(element: SchemaElement, isNested: boolean): FoundType {
  if (isNested || element.repetition_type === 'REPEATED') return { unsupported: nestedName(element) };
  return fromLogical(element) ?? fromConverted(element) ?? fromPhysical(element);
}

function nestedName({ logical_type, converted_type, repetition_type }: SchemaElement): string {
  const kind = logical_type?.type ?? converted_type;
  if (kind === 'LIST' || repetition_type === 'REPEATED') return 'list (nested)';
  if (kind === 'MAP' || kind === 'MAP_KEY_VALUE') return 'map (nested)';
  return kind === undefined ? 'struct (nested)' : `${kind.toLowerCase()} (nested)`;
}

const UNIT = { MILLIS: 'ms', MICROS: 'us', NANOS: 'ns' } as const;

function fromLogical({ logical_type: logical, type }: SchemaElement): FoundType | undefined {
  switch (logical?.type) {
    case undefined:
      return undefined;
    case 'STRING':
    case 'ENUM':
      return known({ kind: 'string' });
    case 'DATE':
      return known({ kind: 'date' });
    case 'DECIMAL':
      return decimal(logical.precision, logical.scale);
    case 'TIMESTAMP':
      return known({ kind: 'timestamp', unit: UNIT[logical.unit], zoned: logical.isAdjustedToUTC });
    case 'INTEGER':
      return integer(logical.bitWidth, logical.isSigned);
    case 'TIME':
      return { unsupported: `time[${UNIT[logical.unit]}]` };
    default:
      // JSON, BSON, UUID, NULL, …; a logical type newer than the reader comes without a name.
      return { unsupported: `${logical?.type?.toLowerCase() ?? 'an unknown type'} (stored as ${type})` };
  }
}

function fromConverted(element: SchemaElement): FoundType | undefined {
  const { converted_type: converted, precision, scale } = element;
  switch (converted) {
    case undefined:
      return undefined;
    case 'UTF8':
    case 'ENUM':
      return known({ kind: 'string' });
    case 'DATE':
      return known({ kind: 'date' });
    case 'DECIMAL':
      return decimal(precision ?? 0, scale ?? 0);
    // Without a logical type these mean instants: "isAdjustedToUTC = true" by the specification.
    case 'TIMESTAMP_MILLIS':
      return known({ kind: 'timestamp', unit: 'ms', zoned: true });
    case 'TIMESTAMP_MICROS':
      return known({ kind: 'timestamp', unit: 'us', zoned: true });
    case 'INT_8':
    case 'INT_16':
    case 'INT_32':
    case 'INT_64':
      return integer(Number(converted.slice('INT_'.length)), true);
    case 'UINT_8':
    case 'UINT_16':
    case 'UINT_32':
    case 'UINT_64':
      return integer(Number(converted.slice('UINT_'.length)), false);
    default:
      return { unsupported: `${converted.toLowerCase()} (stored as ${element.type})` };
  }
}

function fromPhysical({ type, type_length }: SchemaElement): FoundType {
  switch (type) {
    case 'BOOLEAN':
      return known({ kind: 'boolean' });
    case 'INT32':
      return known({ kind: 'int32' });
    case 'INT64':
      return known({ kind: 'int64' });
    // Polars reads INT96 as naive nanoseconds and silently wraps what lies outside 1677–2262 (the year
    // 9999 becomes 1815), and writers disagree whether it is an instant. So it is no type to build on.
    case 'INT96':
      return { unsupported: 'INT96 (a deprecated timestamp)', hint: INT96_HINT };
    case 'FLOAT':
      return known({ kind: 'float32' });
    case 'DOUBLE':
      return known({ kind: 'float64' });
    case 'BYTE_ARRAY':
      return known({ kind: 'binary' });
    case 'FIXED_LEN_BYTE_ARRAY':
      return { unsupported: `fixed_len_byte_array(${type_length})` };
    default:
      return { unsupported: 'a column without a type' };
  }
}

/**
 * Why Polars cannot even open a file with this column, or null. It aborts the whole process on these
 * types, at any depth and whether the column is used or not (nodejs-polars 0.24.1).
 */
export function abortsPolars(element: SchemaElement): string | null {
  const precision = element.logical_type?.type === 'DECIMAL' ? element.logical_type.precision : element.precision;
  if (element.converted_type === 'INTERVAL') return 'interval';
  if (element.converted_type === 'DECIMAL' && (precision ?? 0) > 38) return `decimal of ${precision} digits`;
  return null;
}

const known = (type: ColumnType): FoundType => ({ type });

/** Polars holds at most 38 digits. */
function decimal(precision: number, scale: number): FoundType {
  return precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision
    ? known({ kind: 'decimal', precision, scale })
    : { unsupported: `decimal(${precision},${scale})` };
}

function integer(bits: number, signed: boolean): FoundType {
  const kind = `${signed ? '' : 'u'}int${bits}`;
  return bits === 8 || bits === 16 || bits === 32 || bits === 64
    ? known({ kind } as ColumnType)
    : { unsupported: kind };
}
