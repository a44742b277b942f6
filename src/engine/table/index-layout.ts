/**
 * The key index of one source partition: for its primary key, and for every unique gate, the hash of each row that
 * takes part, sorted, and the row's number. A pure function of the partition's files, so it is named by their
 * fingerprint and by the identity of the hash.
 *
 * Layout, little-endian: magic (8 bytes); identity (8); rows, number of sections (uint32 each); for each section its
 * count and {@link FENCES} positions (uint32); for each section three planes, `high` (uint32: the upper 32 of 48 bits
 * of the hash), `row` (uint32), `low` (uint16: the lower 16, padded to 4 bytes); magic again. A search
 * reads `high` and, where it finds something, a little of the others.
 */
export const MAGIC = 'TGINDEX1';
export const IDENTITY_BYTES = 8;
export const HEADER = MAGIC.length + IDENTITY_BYTES + 8;
/** Positions where the upper 8 bits of the hash begin to be 0, 1, … 256. */
export const FENCE_BITS = 8;
export const FENCES = 2 ** FENCE_BITS + 1;
export const U32 = 4;
export const SECTION_HEADER = U32 * (1 + FENCES);

/** Of a hash of 53 bits (see `hashOf`) the upper 48 are kept: 2^53 / 2^21 and 2^21 / 2^5. */
const HIGH_UNIT = 2 ** 21;
const LOW_UNIT = 2 ** 5;
const LOW = 2 ** 16;

/** Of a hash, what goes into the planes `high` and `low`. */
export const upperOf = (hash: number): number => (hash * (1 / HIGH_UNIT)) >>> 0;
export const lowerOf = (hash: number, upper: number): number => ((hash - upper * HIGH_UNIT) * (1 / LOW_UNIT)) | 0;
/** One number, exact and above 0, from both planes. */
export const keyOf = (high: number, low: number): number => high * LOW + low + 1;
export const highOf = (key: number): number => Math.floor((key - 1) / LOW);

/** The rows of one section, by hash: arrays of the same length. */
export interface Planes {
  /** Upper 32 of the 48 bits, ascending. */
  readonly high: Uint32Array;
  /** Lower 16. */
  readonly low: Uint16Array;
  readonly rows: Uint32Array;
}

/** Of one section, in bytes. */
export const planeBytes = (count: number): number => 2 * U32 * count + U32 * Math.ceil(count / 2);
