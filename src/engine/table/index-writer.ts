import { borrow, giveBack } from './spare-memory';
import {
  HEADER,
  IDENTITY_BYTES,
  MAGIC,
  PLANES_BYTES,
  type Planes,
  SECTION_HEADER,
  U32,
  planeBytes,
} from './index-layout';

/** An index in the making: it is whole once all its planes are filled. */
export class IndexWriter {
  readonly bytes: Buffer;
  readonly #counts: readonly number[];

  /** @param fences of each section: where its parts begin, and at last how many rows it has. */
  constructor(identity: string, rows: number, fences: readonly Uint32Array[]) {
    const counts = fences.map((positions) => positions.at(-1)!);
    this.#counts = counts;
    const bytes = borrow(this.#at(counts.length) + MAGIC.length);
    bytes.write(MAGIC, 0, 'latin1');
    bytes.write(identity, MAGIC.length, 'hex');
    bytes.writeUInt32LE(rows, MAGIC.length + IDENTITY_BYTES);
    bytes.writeUInt32LE(counts.length, MAGIC.length + IDENTITY_BYTES + U32);
    for (const [section, positions] of fences.entries()) {
      const header = new Uint32Array(bytes.buffer, HEADER + section * SECTION_HEADER, 1 + positions.length);
      header[0] = counts[section]!;
      header.set(positions, 1);
      bytes.fill(0, this.#at(section) + PLANES_BYTES * header[0], this.#at(section + 1));
    }
    bytes.write(MAGIC, bytes.length - MAGIC.length, 'latin1');
    this.bytes = bytes;
  }

  /** To be filled. They hold anything at first. */
  planes(section: number): Planes {
    const count = this.#counts[section]!;
    const at = this.#at(section);
    const { buffer } = this.bytes;
    return {
      high: new Uint32Array(buffer, at, count),
      rows: new Uint32Array(buffer, at + U32 * count, count),
      low: new Uint16Array(buffer, at + 2 * U32 * count, count),
    };
  }

  /** Gives its memory to the next one. Its bytes are not to be used after. */
  release(): void {
    giveBack(this.bytes);
  }

  /** Where the planes of a section begin. */
  #at(section: number): number {
    const before = this.#counts.slice(0, section).reduce((sum, count) => sum + planeBytes(count), 0);
    return HEADER + this.#counts.length * SECTION_HEADER + before;
  }
}
