/**
 * The key index of one source partition: for its primary key, and for every unique gate, the hash of each row that
 * takes part and the row's number, dealt out by the upper 8 bits of the hash, in each part by row. A pure function of the
 * partition's files, so it is named by their fingerprint and by the identity of the hash.
 *
 * Layout, little-endian: magic (8 bytes); identity (8); rows, number of sections (uint32 each); for each section its
 * count and {@link FENCES} positions (uint32); for each section three planes, `high` (uint32: the upper 32 of 48 bits
 * of the hash), `row` (uint32), `low` (uint16: the lower 16, padded to 4 bytes); magic again. A search for what
 * changed elsewhere reads `high` and, where it finds something, a little of the others.
 */
export const MAGIC = 'TGINDEX1';
export const IDENTITY_BYTES = 8;
export const HEADER = MAGIC.length + IDENTITY_BYTES + 8;
/** Positions where the upper 8 bits of the hash become 0, 1, … 256. */
export const FENCE_BITS = 8;
export const FENCES = 2 ** FENCE_BITS + 1;
export const U32 = 4;
export const SECTION_HEADER = U32 * (1 + FENCES);

/** Of a hash of 53 bits (see `hashOf`) the upper 48 are kept: 2^53 / 2^21 and 2^21 / 2^5. */
const HIGH_UNIT = 2 ** 21;
const LOW_UNIT = 2 ** 5;
const LOW = 2 ** 16;

/** The part that a hash belongs to, of its upper 32 bits. */
export const fenceOf = (high: number): number => high >>> (32 - FENCE_BITS);
/** Of a hash, what goes into the planes `high` and `low`. */
export const upperOf = (hash: number): number => (hash * (1 / HIGH_UNIT)) >>> 0;
export const lowerOf = (hash: number, upper: number): number => ((hash - upper * HIGH_UNIT) * (1 / LOW_UNIT)) | 0;
/** One number, exact and above 0, from both planes. */
export const keyOf = (high: number, low: number): number => high * LOW + low + 1;
export const highOf = (key: number): number => Math.floor((key - 1) / LOW);

/** The rows of a section, by the upper bits of their hash: arrays of the same length. */
export interface Planes {
  /** Upper 32 of the 48 bits; the upper {@link FENCE_BITS} of these ascend. */
  readonly high: Uint32Array;
  /** Lower 16. */
  readonly low: Uint16Array;
  readonly rows: Uint32Array;
}

/** Of one section, in bytes. */
export const planeBytes = (count: number): number => 2 * U32 * count + U32 * Math.ceil(count / 2);
export const PLANES = 3;
/** What a row takes in a section, in bytes. */
export const PLANES_BYTES = 2 * U32 + Uint16Array.BYTES_PER_ELEMENT;
