import { inChunks } from '../chunks';
import { trulyRepeated } from '../duplicates';
import type { Suspects } from '../duplicates';
import { lowerBound } from '../read-rows';
import { Buckets } from './buckets';
import { Excluded } from './excluded';
import { ReadRoom, type Section } from './index-file';
import { highOf, keyOf } from './index-layout';
import { inLanes } from '../lanes';
import { has, merged } from './sorted-rows';

/** One partition's section. */
export interface Part {
  /** Its index among the partitions. */
  readonly partition: number;
  readonly section: Section;
  /** Whether all its rows take part, or only those whose hash is touched. */
  readonly whole: boolean;
}

/** The hashes that a change may concern: those of sections, and some more. */
export interface Touched {
  readonly sections: readonly Section[];
  /** As `keyOf` gives them, in any order. */
  readonly keys: Float64Array;
}

export interface SearchInput {
  readonly parts: readonly Part[];
  readonly touched: Touched;
  /** About how many hashes a range may hold. */
  readonly hashesAtATime: number;
  /** How many may be read at a time to look for what is touched. */
  readonly hashesRead: number;
  /** Rows, ascending, that do not count; their hash may still be touched. */
  readonly without?: (partition: number) => Promise<Uint32Array>;
  readonly signal?: AbortSignal;
  /** Of a part that is not whole: rows, in any order, whose hash is touched. */
  readonly onTouched: (partition: number, rows: Uint32Array) => Promise<void>;
  /** Rows, in any order, whose hash occurs more than once among all that take part. */
  readonly onRepeated: (partition: number, rows: Uint32Array) => Promise<void>;
}

const MOST_RANGE_BITS = 8;
/** Parts read at once. */
const LANES = 8;
/** Of the touched: one false bucket in 32 costs a look at the lower bits. */
const TOUCHED_SPREAD = 32;
const REPEATED_SPREAD = 32;

/**
 * Finds, range by range of the hash, the rows that a change touches and the groups of rows with equal
 * hashes among them. Memory: that of a range.
 */
export async function search(input: SearchInput): Promise<void> {
  const { parts, touched } = input;
  const whole = parts.filter((part) => part.whole).reduce((sum, { section }) => sum + section.count, 0);
  const keys = touched.sections.reduce((sum, { count }) => sum + count, touched.keys.length);
  const widest = parts.reduce((most, part) => (part.whole ? most : Math.max(most, part.section.count)), 0);
  const ranges = Math.max(
    1,
    whole / input.hashesAtATime,
    keys / input.hashesAtATime,
    (widest * LANES) / input.hashesRead,
  );
  const bits = Math.min(MOST_RANGE_BITS, Math.ceil(Math.log2(ranges)));
  const searched = parts.some((part) => !part.whole);
  const excluded = input.without === undefined ? null : new Excluded(input.without, input.hashesRead);
  const rooms = Array.from({ length: LANES }, () => ({ own: new ReadRoom(), gathered: new ReadRoom() }));
  for (let range = 0; range < 2 ** bits; range++) {
    input.signal?.throwIfAborted();
    const keysOfRange = searched ? await touchedIn(touched, range, bits) : null;
    await searchRange(input, range, bits, keysOfRange, excluded, rooms);
    keysOfRange?.buckets.release();
  }
}

interface Keys {
  readonly buckets: Buckets;
  /** Ascending. */
  readonly sorted: Float64Array;
}

function putKeys(high: Uint32Array, low: Uint16Array, from: number, to: number, keys: Float64Array): void {
  for (let i = from; i < to; i++) keys[i] = keyOf(high[i]!, low[i]!);
}

/** The touched hashes of one range. */
async function touchedIn({ sections, keys }: Touched, range: number, bits: number): Promise<Keys> {
  const width = 2 ** (32 - bits);
  const own = keys.filter((key) => Math.floor(highOf(key) / width) === range);
  const size = sections.reduce((sum, section) => sum + section.size(range, bits), own.length);
  const buckets = new Buckets(size, TOUCHED_SPREAD, bits);
  buckets.add(Uint32Array.from(own, highOf));
  const runs = [own.toSorted()];
  for (const section of sections) {
    const [{ high }, low] = await Promise.all([section.high(range, bits), section.low(range, bits)]);
    buckets.add(high);
    const keysOf = new Float64Array(high.length);
    inChunks(high.length, (from, to) => putKeys(high, low, from, to, keysOf));
    runs.push(keysOf);
  }
  return { buckets, sorted: merged(runs) };
}

/** Of one lane: for the hashes of its part, and for what is picked out of a part. */
interface Rooms {
  readonly own: ReadRoom;
  readonly gathered: ReadRoom;
}

/** Rows of one part that take part in one range. */
interface InPlay {
  readonly part: Part;
  readonly high: Uint32Array;
  /** Indexes in the section; null: all from `start` on. */
  readonly indexes: Uint32Array | null;
  readonly start: number;
  /** Known where the lower bits had to be read. */
  readonly keys: Float64Array | null;
}

async function searchRange(
  input: SearchInput,
  range: number,
  bits: number,
  touched: Keys | null,
  excluded: Excluded | null,
  rooms: readonly Rooms[],
): Promise<void> {
  const found: InPlay[] = [];
  await inLanes(input.parts, LANES, async (part, lane) => {
    const play = await part.section.opened(() => playOf(input, part, range, bits, touched, rooms[lane]!));
    if (play !== null) found.push(play);
  });
  // The lanes end in no promised order; nothing below may depend on it.
  const inPlay = found.toSorted((a, b) => a.part.partition - b.part.partition);
  const total = inPlay.reduce((sum, { high }) => sum + high.length, 0);
  const once = new Buckets(total, REPEATED_SPREAD, bits);
  const twice = new Buckets(total, REPEATED_SPREAD, bits);
  for (const { high } of inPlay) once.add(high, twice);
  const suspects: { readonly partition: number; readonly suspects: Suspects }[] = [];
  for (const play of inPlay) {
    const own = await suspectsOf(play, twice, excluded, rooms[0]!.gathered);
    if (own.indexes.length > 0) suspects.push({ partition: play.part.partition, suspects: own });
  }
  once.release();
  twice.release();
  const repeated = trulyRepeated(suspects.map(({ suspects: own }) => own));
  for (const [i, { partition }] of suspects.entries()) {
    if (repeated[i]!.length > 0) await input.onRepeated(partition, repeated[i]!);
  }
}

/** What takes part of one part; null: nothing. */
async function playOf(
  input: SearchInput,
  part: Part,
  range: number,
  bits: number,
  touched: Keys | null,
  { own, gathered }: Rooms,
): Promise<InPlay | null> {
  const { high, start } = await part.section.high(range, bits, part.whole ? undefined : own);
  if (high.length === 0) return null;
  if (part.whole) return { part, high, indexes: null, start, keys: null };
  if (touched === null || touched.sorted.length === 0) return null;
  const hit = await touchedOf(part, high, start, touched, gathered);
  if (hit === null) return null;
  await input.onTouched(part.partition, await part.section.rowsAt(hit.indexes, gathered));
  return { part, start, ...hit };
}

async function touchedOf(
  { section }: Part,
  high: Uint32Array,
  start: number,
  { buckets, sorted }: Keys,
  room: ReadRoom,
): Promise<(Pick<InPlay, 'high' | 'keys'> & { readonly indexes: Uint32Array }) | null> {
  const near = buckets.find(high);
  const count = near.length;
  if (count === 0) return null;
  const low = await section.lowsAt(
    near.map((i) => i + start),
    room,
  );
  const keys = new Float64Array(count);
  const found = new Uint32Array(count);
  let kept = 0;
  let at = 0;
  for (let j = 0; j < count; j++) {
    const key = keyOf(high[near[j]!]!, low[j]!);
    at = lowerBound(sorted, key, at);
    if (sorted[at] !== key) continue;
    keys[kept] = key;
    found[kept++] = near[j]!;
  }
  if (kept === 0) return null;
  const hits = found.subarray(0, kept);
  return { high: hits.map((i) => high[i]!), indexes: hits.map((i) => i + start), keys: keys.slice(0, kept) };
}

/** Rows (as the suspects' `indexes`) whose hash may occur more than once, but for those that do not count. */
async function suspectsOf(
  { part, high, indexes, start, keys }: InPlay,
  twice: Buckets,
  excluded: Excluded | null,
  room: ReadRoom,
): Promise<Suspects> {
  const some = twice.find(high);
  const count = some.length;
  if (count === 0) return { indexes: some, hashes: new Float64Array(0) };
  const at = indexes === null ? some.map((i) => i + start) : some.map((i) => indexes[i]!);
  const rows = await part.section.rowsAt(at, room);
  const low = keys === null ? await part.section.lowsAt(at, room) : null;
  const hashes = new Float64Array(count);
  for (let j = 0; j < count; j++) hashes[j] = low === null ? keys![some[j]!]! : keyOf(high[some[j]!]!, low[j]!);
  const kept = excluded === null ? count : await excluded.take(part.partition, rows, hashes);
  return { indexes: rows.subarray(0, kept), hashes: hashes.subarray(0, kept) };
}

/** Rows of one section whose hash occurs more than once in it, but for those that do not count: equal hashes stand together. */
export async function repeatedWithin(section: Section, without: Uint32Array): Promise<Uint32Array> {
  const { high } = await section.high(0, 0);
  const near = new Uint32Array(high.length);
  let count = 0;
  for (let i = 0; i < high.length; i++) {
    if ((i > 0 && high[i - 1] === high[i]) || (i + 1 < high.length && high[i + 1] === high[i])) near[count++] = i;
  }
  const at = near.slice(0, count);
  const [rows, low] = [await section.rowsAt(at), await section.lowsAt(at)];
  const kept = Uint32Array.from(at.keys()).filter((j) => !has(without, rows[j]!));
  const hashes = Float64Array.from(kept, (j) => keyOf(high[at[j]!]!, low[j]!));
  return trulyRepeated([{ indexes: kept.map((j) => rows[j]!), hashes }])[0]!;
}

/** Rows and their hashes, in the order of these. */
export interface KeyedRows {
  readonly rows: Uint32Array;
  readonly keys: Float64Array;
}

/** All hashes of several parts, one part after another. */
export function allKeys(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The hashes of some rows (ascending) of a section; rows that it does not hold are left out. */
export async function keyedRows(section: Section, rows: Uint32Array): Promise<KeyedRows> {
  if (rows.length === 0) return { rows, keys: new Float64Array(0) };
  const numbers = await section.rows();
  const found = new Uint32Array(rows.length);
  let count = 0;
  for (let i = 0; i < numbers.length; i++) if (has(rows, numbers[i]!)) found[count++] = i;
  const at = found.slice(0, count);
  const { high } = await section.high(0, 0);
  const low = await section.lowsAt(at);
  return { rows: at.map((i) => numbers[i]!), keys: Float64Array.from(at, (i, j) => keyOf(high[i]!, low[j]!)) };
}
