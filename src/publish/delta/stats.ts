import type { FileMetaData, Statistics } from 'hyparquet' with { 'resolution-mode': 'import' };
import type { Column, ColumnType } from '../../contract/contract';
import { TerminalError, VoidPlan } from '../../errors';
import { type ObjectStore, StorageError } from '../../storage';

/** PROTOCOL.md, "Per-file Statistics": string columns are cut off at a fixed prefix length; Spark's is 32. */
const PREFIX = 32;
/** Digits that a double, in which footers' decimals are given to us, holds exactly. */
const EXACT_DIGITS = 15;

/** Values of a footer as they are stored, not as dates of JavaScript, which hold milliseconds. */
const RAW = {
  timestampFromMilliseconds: (value: bigint): bigint => value * 1000n,
  timestampFromMicroseconds: (value: bigint): bigint => value,
  timestampFromNanoseconds: (): undefined => undefined,
  dateFromDays: (days: number): number => days,
};

/**
 * The `stats` of an `add`, from the footer of the file as it was written: number of records, null
 * counts, and bounds of the columns whose footers give true ones. Bounds of floating-point columns are
 * left out: a footer passes over NaN, which readers order above all else. A file without bounds is
 * never skipped, so leaving out is always right.
 * @throws VoidPlan when the file is gone or is not the one that was written.
 */
export async function statsOf(
  store: ObjectStore,
  file: { readonly path: string; readonly rows: number; readonly size: number },
  columns: readonly Column[],
): Promise<string> {
  const found = await store.stat(file.path);
  if (found === null || found.special !== undefined) throw new VoidPlan(`the output file ${file.path} is gone`);
  if (found.size !== file.size) {
    throw new VoidPlan(`the output file ${file.path} has ${found.size} bytes; expected ${file.size}`);
  }
  const metadata = await readMetadata(store, file);
  if (Number(metadata.num_rows) !== file.rows) {
    throw new TerminalError(
      'ConservationError',
      `the output file ${file.path} has ${metadata.num_rows} rows; expected ${file.rows}. Nothing was published. This is a fault in Tidegate, please report it.`,
    );
  }
  return encodeStats(metadata, columns);
}

async function readMetadata(store: ObjectStore, { path, size }: { path: string; size: number }): Promise<FileMetaData> {
  const { parquetMetadataAsync } = await import('hyparquet');
  const slice = async (start: number, end = size): Promise<ArrayBuffer> => {
    const bytes = await store.readRange(path, start < 0 ? size + start : start, end);
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  };
  try {
    const file = { byteLength: size, slice };
    return await parquetMetadataAsync(file, { parsers: RAW, geoparquet: false, initialFetchSize: 64 * 1024 });
  } catch (error) {
    if (error instanceof StorageError && error.code !== 'ENOENT') throw error;
    // The machine lost power, or somebody wrote to it: its rows are computed anew.
    throw new VoidPlan(`the output file ${path} does not end as Parquet (${String(error)})`);
  }
}

/** JSON text is put together by hand: integers beyond 2^53 must keep their digits. */
function encodeStats(metadata: FileMetaData, columns: readonly Column[]): string {
  const [min, max, nulls]: [string[], string[], string[]] = [[], [], []];
  for (const { name, type } of columns) {
    const chunks = metadata.row_groups.map(({ columns: all }) =>
      all.find(({ meta_data: chunk }) => chunk?.path_in_schema.length === 1 && chunk.path_in_schema[0] === name),
    );
    const stats = chunks.map((chunk) => chunk?.meta_data?.statistics);
    const key = JSON.stringify(name);
    const nullCounts = stats.map((one) => one?.null_count);
    if (nullCounts.every((count) => count !== undefined)) {
      nulls.push(`${key}:${nullCounts.reduce((sum, count) => sum + Number(count), 0)}`);
    }
    const bounds = boundsOf(metadata, stats, type);
    if (bounds === null) continue;
    min.push(`${key}:${bounds.min}`);
    max.push(`${key}:${bounds.max}`);
  }
  const object = (entries: string[]): string => `{${entries.join(',')}}`;
  return `{"numRecords":${metadata.num_rows},"minValues":${object(min)},"maxValues":${object(max)},"nullCount":${object(nulls)}}`;
}

function boundsOf(
  metadata: FileMetaData,
  stats: readonly (Statistics | undefined)[],
  type: ColumnType,
): { min: string; max: string } | null {
  const lows: Bound[] = [];
  const highs: Bound[] = [];
  for (const [index, one] of stats.entries()) {
    // A row group of nulls has no bounds, and needs none.
    if (one?.null_count !== undefined && one.null_count === metadata.row_groups[index]!.num_rows) continue;
    const [low, high] = [one?.min_value, one?.max_value];
    if (!isBound(low) || !isBound(high)) return null;
    lows.push(low);
    highs.push(high);
  }
  if (lows.length === 0) return null;
  const min = toText(
    lows.reduce((a, b) => (order(b, a) < 0 ? b : a)),
    type,
    'min',
  );
  const max = toText(
    highs.reduce((a, b) => (order(b, a) > 0 ? b : a)),
    type,
    'max',
  );
  return min === null || max === null ? null : { min, max };
}

type Bound = number | bigint | string;
const isBound = (value: unknown): value is Bound => ['number', 'bigint', 'string'].includes(typeof value);

/** Text by code points, as UTF-8 bytes are ordered. */
function order(a: Bound, b: Bound): number {
  if (typeof a === 'string' || typeof b === 'string') return Buffer.compare(Buffer.from(`${a}`), Buffer.from(`${b}`));
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A bound as JSON; null where it could not be a true one. */
function toText(value: Bound, type: ColumnType, end: 'min' | 'max'): string | null {
  switch (type.kind) {
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
      return String(value);
    case 'date':
      return typeof value === 'number' ? dateText(value) : null;
    case 'timestamp':
      return typeof value === 'bigint' ? timestampText(value, type.zoned, end) : null;
    case 'decimal':
      return typeof value === 'number' && type.precision <= EXACT_DIGITS ? value.toFixed(type.scale) : null;
    case 'string': {
      const cut = typeof value === 'string' ? cutText(value, end) : null;
      return cut === null ? null : JSON.stringify(cut);
    }
    default:
      return null;
  }
}

const MS_PER_DAY = 86_400_000;

/** Years of four digits; others are written in ways that readers differ in. */
function isoOf(milliseconds: number): string | null {
  const date = new Date(milliseconds);
  if (Number.isNaN(date.getTime())) return null;
  const year = date.getUTCFullYear();
  return year >= 1 && year <= 9999 ? date.toISOString() : null;
}

function dateText(days: number): string | null {
  const iso = isoOf(days * MS_PER_DAY);
  return iso === null ? null : JSON.stringify(iso.slice(0, 10));
}

/**
 * The protocol truncates timestamps to milliseconds, for which Spark makes up when it reads a maximum
 * and others do not. Rounded outwards, the bound is true for all.
 */
function timestampText(micros: bigint, zoned: boolean, end: 'min' | 'max'): string | null {
  const rest = ((micros % 1000n) + 1000n) % 1000n;
  const down = (micros - rest) / 1000n;
  const iso = isoOf(Number(end === 'max' && rest > 0n ? down + 1n : down));
  return iso === null ? null : JSON.stringify(zoned ? iso : iso.slice(0, -1));
}

/** The prefix is below every text it begins; for a maximum its last character that can grows by one. */
export function cutText(text: string, end: 'min' | 'max'): string | null {
  // Cut or replaced by the footer's writer: no telling what it was.
  if (text.includes('\uFFFD')) return null;
  const points = Array.from(text);
  if (points.length <= PREFIX) return text;
  const prefix = points.slice(0, PREFIX);
  if (end === 'min') return prefix.join('');
  for (let at = PREFIX - 1; at >= 0; at -= 1) {
    const next = prefix[at]!.codePointAt(0)! + 1;
    if (next > 0x10_ff_ff) continue;
    // Surrogates are no characters.
    const point = next >= 0xd8_00 && next <= 0xdf_ff ? 0xe0_00 : next;
    return prefix.slice(0, at).join('') + String.fromCodePoint(point);
  }
  return null;
}
