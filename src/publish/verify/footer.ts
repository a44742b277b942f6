import type { ColumnMetaData, SchemaElement } from 'hyparquet' with { 'resolution-mode': 'import' };
import type { InspectedColumn, ValueKind } from '../../engine';
import type { ObjectStore } from '../../storage';

/** What a file's footer says of one column of one row group. Absent where the footer says nothing. */
export interface RecordedColumn extends InspectedColumn {
  readonly nulls?: bigint;
  /** Whole numbers, numbers, or the bytes of a text (perhaps cut short: still no greater, or no less, than any value). */
  readonly min?: bigint | number | Uint8Array;
  readonly max?: bigint | number | Uint8Array;
}

export interface RecordedGroup {
  readonly offset: number;
  readonly rows: number;
  /** Nested columns are left out. */
  readonly columns: readonly RecordedColumn[];
}

export interface RecordedFile {
  readonly rows: number;
  /** Names of the top-level columns. */
  readonly columns: readonly string[];
  readonly groups: readonly RecordedGroup[];
}

/** Values as they are stored: dates and times as whole numbers, texts as bytes. */
const RAW = {
  dateFromDays: (days: number) => days,
  timestampFromMilliseconds: (value: bigint) => value,
  timestampFromMicroseconds: (value: bigint) => value,
  timestampFromNanoseconds: (value: bigint) => value,
  stringFromBytes: (bytes: Uint8Array) => bytes,
};

/** Reads the footer of a Parquet file of `size` bytes. Fails as hyparquet does when it is none. */
export async function readRecorded(
  store: Pick<ObjectStore, 'readRange'>,
  key: string,
  size: number,
): Promise<RecordedFile> {
  const { parquetMetadataAsync, parquetSchema } = await import('hyparquet');
  const file = {
    byteLength: size,
    slice: async (start: number, end = size): Promise<ArrayBuffer> => {
      const bytes = await store.readRange(key, start, end);
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
    },
  };
  const metadata = await parquetMetadataAsync(file, { parsers: RAW, geoparquet: false });
  const { children } = parquetSchema(metadata);
  const flat = new Map(
    children.filter((one) => one.children.length === 0).map(({ element }) => [element.name, element]),
  );
  let offset = 0;
  const groups = metadata.row_groups.map((group) => {
    const rows = Number(group.num_rows);
    const columns = group.columns.flatMap(({ meta_data: recorded }): RecordedColumn[] => {
      const element = recorded?.path_in_schema.length === 1 ? flat.get(recorded.path_in_schema[0]!) : undefined;
      const kind = element === undefined ? null : kindOf(element);
      return recorded === undefined || element === undefined || kind === null
        ? []
        : [{ name: element.name, kind, ...statisticsOf(recorded, kind) }];
    });
    offset += rows;
    return { offset: offset - rows, rows, columns };
  });
  return { rows: Number(metadata.num_rows), columns: children.map(({ element }) => element.name), groups };
}

type Statistics = Pick<RecordedColumn, 'nulls' | 'min' | 'max'>;

function statisticsOf({ statistics }: ColumnMetaData, kind: ValueKind): Statistics {
  if (statistics === undefined) return {};
  const { null_count: nulls, min_value: min, max_value: max } = statistics;
  return {
    ...(nulls === undefined ? {} : { nulls }),
    ...(min === undefined ? {} : { min: stored(min, kind) }),
    ...(max === undefined ? {} : { max: stored(max, kind) }),
  };
}

function stored(value: unknown, kind: ValueKind): bigint | number | Uint8Array {
  if (kind === 'text') return value as Uint8Array;
  if (kind === 'integer' || kind === 'moment') return BigInt(value as number | bigint);
  return Number(value);
}

/** Null for what is not compared: raw bytes, and types that Tidegate does not write. */
function kindOf({ type, converted_type: converted, logical_type: logical }: SchemaElement): ValueKind | null {
  if (type === 'BOOLEAN') return 'boolean';
  if (type === 'FLOAT' || type === 'DOUBLE') return 'float';
  if (converted === 'DECIMAL' || logical?.type === 'DECIMAL') return 'decimal';
  if (type === 'BYTE_ARRAY') return converted === 'UTF8' || logical?.type === 'STRING' ? 'text' : null;
  if (type !== 'INT32' && type !== 'INT64') return null;
  const isMoment = converted === 'DATE' || converted?.startsWith('TIMESTAMP') || logical?.type === 'DATE';
  return isMoment || logical?.type === 'TIMESTAMP' ? 'moment' : 'integer';
}
