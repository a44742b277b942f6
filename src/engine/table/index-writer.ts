import { lowerBound } from '../read-rows';
import { borrow, giveBack } from './held-memory';
import {
  FENCES,
  FENCE_BITS,
  HEADER,
  IDENTITY_BYTES,
  MAGIC,
  type Planes,
  SECTION_HEADER,
  U32,
  planeBytes,
} from './index-layout';

/** An index in the making: its planes are filled one by one, and it is whole once each was sealed. */
export class IndexWriter {
  readonly bytes: Buffer;
  readonly #counts: readonly number[];

  /** @param counts rows that take part, by section. */
  constructor(identity: string, rows: number, counts: readonly number[]) {
    this.#counts = counts;
    const bytes = borrow(this.#at(counts.length) + MAGIC.length);
    bytes.write(MAGIC, 0, 'latin1');
    bytes.write(identity, MAGIC.length, 'hex');
    bytes.writeUInt32LE(rows, MAGIC.length + IDENTITY_BYTES);
    bytes.writeUInt32LE(counts.length, MAGIC.length + IDENTITY_BYTES + U32);
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

  /** Says where in a section, which is filled by now, each part begins. */
  seal(section: number): void {
    const count = this.#counts[section]!;
    const { high } = this.planes(section);
    const header = new Uint32Array(this.bytes.buffer, HEADER + section * SECTION_HEADER, 1 + FENCES);
    header[0] = count;
    for (let fence = 0; fence < FENCES; fence++) header[1 + fence] = lowerBound(high, fence * 2 ** (32 - FENCE_BITS));
    this.bytes.fill(0, this.#at(section) + 2 * U32 * count + 2 * count, this.#at(section + 1));
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
