import { targetStore } from './places';
import { writing } from './write-error';

export const SUPERSEDED = 'superseded';
/** Winners that tie with a row that differs (SEMANTICS 4.3). */
export const AMBIGUOUS = 'ambiguous';
/** Superseded rows of a partition whose raw files are gone that ought to come back and cannot (SEMANTICS 3.4). */
export const UNRECOVERABLE = 'unrecoverable';
/** Superseded rows of such a partition that could have come back since: to be decided when the files are there again. */
export const UNDECIDED = 'undecided';
const UNIQUE = 'unique:';
export const uniqueSet = (gate: string): string => `${UNIQUE}${gate}`;

/** Row sets of one partition by name; the rows of each ascending. */
export type RowSets = ReadonlyMap<string, Uint32Array>;

const MAGIC = 'TGROWS1\n';
/** Ends the file: one that was cut off can be told by its last bytes. */
export const ROW_SETS_END = 'TGRW';
const HEADER_AT = MAGIC.length + 4;

/** Writes the sets to `directory/name`, durably (see `PartitionResolution.rowSets`); null, and no file, when all are empty. */
export async function writeRowSets(directory: string, name: string, sets: RowSets): Promise<Buffer | null> {
  const bytes = encodeRowSets(sets);
  if (bytes === null) return null;
  const store = targetStore(directory);
  await writing(store.urlOf(name), () => store.write(name, bytes));
  return bytes;
}

export async function readRowSets(directory: string, name: string | null): Promise<RowSets> {
  if (name === null) return new Map();
  return decodeRowSets(await targetStore(directory).read(name), `${directory}/${name}`);
}

/**
 * The sets that are not empty, in the order of their names, as bytes: the magic, the length of the header
 * (uint32), the header (JSON: name and count of each set), each set's rows (uint32, little-endian), the end mark.
 */
export function encodeRowSets(sets: RowSets): Buffer | null {
  const some = [...sets].filter(([, rows]) => rows.length > 0).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (some.length === 0) return null;
  const header = Buffer.from(JSON.stringify(some.map(([set, rows]) => [set, rows.length])), 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  const lists = some.map(([, rows]) => Buffer.from(rows.buffer, rows.byteOffset, rows.byteLength));
  return Buffer.concat([Buffer.from(MAGIC), length, header, ...lists, Buffer.from(ROW_SETS_END)]);
}

/** @throws Error naming `where` when these are not the bytes that {@link encodeRowSets} gives. */
export function decodeRowSets(bytes: Buffer, where: string): RowSets {
  const damaged = (): Error => new Error(`${where} is damaged: it does not hold row sets as they were written`);
  const ends = bytes.toString('latin1', bytes.length - ROW_SETS_END.length) === ROW_SETS_END;
  if (bytes.length < HEADER_AT || bytes.toString('latin1', 0, MAGIC.length) !== MAGIC || !ends) throw damaged();
  let at = HEADER_AT + bytes.readUInt32LE(MAGIC.length);
  if (at > bytes.length) throw damaged();
  const header = JSON.parse(bytes.toString('utf8', HEADER_AT, at)) as [set: string, count: number][];
  const sets = new Map<string, Uint32Array>();
  for (const [set, count] of header) {
    const end = at + count * Uint32Array.BYTES_PER_ELEMENT;
    if (end > bytes.length - ROW_SETS_END.length) throw damaged();
    // Copied: the bytes begin wherever the header ended.
    sets.set(set, new Uint32Array(new Uint8Array(bytes.subarray(at, end)).buffer));
    at = end;
  }
  return sets;
}
