import { inChunks } from '../chunks';
import { inLanes } from '../lanes';
import { Buckets } from '../buckets';
import { Excluded } from './excluded';
import type { Section } from './index-file';
import { FENCE_BITS, PLANES, PLANES_BYTES, type Planes, highOf, keyOf } from './index-layout';
import { KeySet } from './key-set';
import { Arena, ReadRoom } from './read-memory';
import { readPlanes } from './planes';
import { type InPlay, findRepeated } from './windows';

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
  /** Bytes of indexes in memory at once, about; of what may be touched, at most twice as many besides. */
  readonly indexBytes: number;
  /** About how many hashes are compared at a time. */
  readonly hashesAtATime: number;
  /** How many hashes may be read at a time to look for what is touched. */
  readonly hashesRead: number;
  /** Rows, ascending, that do not count; their hash may still be touched. */
  readonly without?: (partition: number) => Promise<Uint32Array>;
  readonly memory: SearchMemory;
  readonly signal?: AbortSignal;
  /** Of a part that is not whole: rows, in any order, whose hash is touched. */
  readonly onTouched: (partition: number, rows: Uint32Array) => Promise<void>;
  /** Rows, in any order, whose hash occurs more than once among all that take part. */
  readonly onRepeated: (partition: number, rows: Uint32Array) => Promise<void>;
}

/** Parts read at once. */
const LANES = 8;
/** Rows of one part: of fewer, a read costs more than it saves. */
const WORTH_A_READ = 2 ** 18;
/** Of the touched: one false bucket in 32 costs a look at the lower bits. */
const TOUCHED_SPREAD = 32;
/** What a touched hash takes in memory: in a set, in the buckets, and while it is read. */
const TOUCHED_BYTES = 64;
/** What changes touch at most may take so many times as much as all else. */
const HITS_ALLOWED = 2;

/**
 * Finds, range by range of the hash, the rows that a change touches and the groups of rows with equal
 * hashes among them. Memory: that of a range.
 */
export async function search(input: SearchInput): Promise<void> {
  const bits = rangeBits(input);
  const ranges = new RangeSearch(input, bits);
  for (let range = 0; range < 2 ** bits; range++) {
    input.signal?.throwIfAborted();
    await ranges.search(range);
  }
}

/**
 * Into how many ranges of the hash, as a power of two, a search is cut, so that each fits in memory; into more where reads stay
 * large, as memory that is new costs more than memory that is used again.
 */
function rangeBits({ parts, touched, indexBytes, hashesRead }: SearchInput): number {
  const whole = parts.filter((part) => part.whole).reduce((sum, { section }) => sum + section.count, 0);
  const keys = touched.sections.reduce((sum, { count }) => sum + count, touched.keys.length);
  const others = parts.filter((part) => !part.whole).map(({ section }) => section.count);
  const widest = others.reduce((most, count) => Math.max(most, count), 0);
  // All of a partition may be touched, though a little of it mostly is.
  const hits = others.reduce((sum, count) => sum + Math.min(count, keys), 0);
  const bytes = Math.max(
    whole * PLANES_BYTES,
    others.length === 0 ? 0 : keys * TOUCHED_BYTES,
    (hits * PLANES_BYTES) / HITS_ALLOWED,
  );
  const worth = others.length === 0 ? whole / Math.max(1, parts.length) / WORTH_A_READ : 1;
  const ranges = Math.max(1, worth, bytes / Math.max(1, indexBytes), (widest * LANES) / hashesRead);
  return Math.min(FENCE_BITS, Math.ceil(Math.log2(ranges)));
}

/** The touched hashes of one range. */
interface Keys {
  readonly buckets: Buckets;
  readonly all: KeySet;
}

/** Of one lane: for the hashes of its part, and for what is picked out of a part. */
interface Rooms {
  readonly own: ReadRoom;
  readonly gathered: ReadRoom;
}

/** What searches read into, one after another. */
export class SearchMemory {
  /** Of the parts that are whole. */
  readonly arena = new Arena();
  /** By lane. */
  readonly rooms: readonly Rooms[] = Array.from({ length: LANES }, () => ({
    own: new ReadRoom(),
    gathered: new ReadRoom(),
  }));
}

class RangeSearch {
  readonly #input: SearchInput;
  readonly #bits: number;
  readonly #excluded: Excluded | null;

  constructor(input: SearchInput, bits: number) {
    this.#input = input;
    this.#bits = bits;
    this.#excluded = input.without === undefined ? null : new Excluded(input.without, input.hashesRead);
  }

  async search(range: number): Promise<void> {
    const {
      parts,
      hashesAtATime,
      onRepeated,
      signal,
      memory: { arena, rooms },
    } = this.#input;
    const whole = parts.filter((part) => part.whole);
    const rows = whole.reduce((sum, { section }) => sum + section.size(range, this.#bits), 0);
    arena.clear(rows * PLANES_BYTES, whole.length * PLANES);
    const touched = parts.some((part) => !part.whole) ? await this.#touchedIn(range) : null;
    const found: InPlay[] = [];
    await inLanes(parts, LANES, async (part, lane) => {
      const planes = part.whole
        ? await readPlanes(part.section.planes(range, this.#bits), arena)
        : await part.section.opened(() => this.#touchedOf(part, range, touched!, rooms[lane]!));
      if (planes !== null) found.push({ partition: part.partition, planes });
    });
    touched?.buckets.release();
    const searched = { range, bits: this.#bits, hashesAtATime, ...(signal === undefined ? {} : { signal }) };
    await findRepeated(found, searched, this.#excluded, onRepeated);
  }

  async #touchedIn(range: number): Promise<Keys> {
    const bits = this.#bits;
    const { sections, keys } = this.#input.touched;
    const width = 2 ** (32 - bits);
    const own = keys.filter((key) => Math.floor(highOf(key) / width) === range);
    const size = sections.reduce((sum, section) => sum + section.size(range, bits), own.length);
    const buckets = new Buckets(size, TOUCHED_SPREAD, bits);
    const all = new KeySet(size);
    buckets.add(Uint32Array.from(own, highOf));
    all.add(own);
    for (const section of sections) {
      const [{ high }, low] = await Promise.all([section.high(range, bits), section.low(range, bits)]);
      buckets.add(high);
      const keysOf = new Float64Array(high.length);
      inChunks(high.length, (from, to) => putKeys(high, low, from, to, keysOf));
      all.add(keysOf);
    }
    return { buckets, all };
  }

  /** What a change may concern of a part; null: nothing. */
  async #touchedOf(
    { partition, section }: Part,
    range: number,
    { buckets, all }: Keys,
    { own, gathered }: Rooms,
  ): Promise<Planes | null> {
    if (all.isEmpty) return null;
    const { high, start } = await section.high(range, this.#bits, own);
    const near = buckets.find(high);
    if (near.length === 0) return null;
    const low = await section.lowsAt(
      near.map((i) => i + start),
      gathered,
    );
    const hit = Uint32Array.from(near.keys()).filter((j) => all.has(keyOf(high[near[j]!]!, low[j]!)));
    if (hit.length === 0) return null;
    const rows = await section.rowsAt(
      hit.map((j) => near[j]! + start),
      gathered,
    );
    await this.#input.onTouched(partition, rows);
    return { high: hit.map((j) => high[near[j]!]!), low: Uint16Array.from(hit, (j) => low[j]!), rows };
  }
}

function putKeys(high: Uint32Array, low: Uint16Array, from: number, to: number, keys: Float64Array): void {
  for (let i = from; i < to; i++) keys[i] = keyOf(high[i]!, low[i]!);
}
