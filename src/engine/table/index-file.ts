import { type FileHandle, open } from 'node:fs/promises';
import { FENCES, FENCE_BITS, HEADER, IDENTITY_BYTES, MAGIC, SECTION_HEADER, U32, planeBytes } from './index-layout';
import type { PlanesPlace } from './planes';
import { type Memory, type ReadRoom, fill } from './read-memory';

/** A slice of a section in memory. */
export interface Slice {
  readonly high: Uint32Array;
  /** Index in the section of the first. */
  readonly start: number;
}

/** One section of an open index. */
export class Section {
  readonly #file: IndexFile;
  readonly count: number;
  readonly #fences: Uint32Array;
  readonly #at: number;

  constructor(file: IndexFile, header: Uint32Array, at: number) {
    this.#file = file;
    this.count = header[0]!;
    this.#fences = header.subarray(1);
    this.#at = at;
  }

  /** The hashes of one of 2^bits equal ranges (bits at most 8). In `room` they are good until it is used again. */
  async high(range: number, bits: number, room?: ReadRoom): Promise<Slice> {
    const step = 2 ** (FENCE_BITS - bits);
    const start = this.#fences[range * step]!;
    const end = this.#fences[(range + 1) * step]!;
    return { high: await this.#words(this.#at + U32 * start, end - start, room), start };
  }

  /** Where all that is kept of one of 2^bits equal ranges stands. */
  planes(range: number, bits: number): PlanesPlace {
    const step = 2 ** (FENCE_BITS - bits);
    const start = this.#fences[range * step]!;
    return {
      path: this.#file.path,
      count: this.size(range, bits),
      high: this.#at + U32 * start,
      rows: this.#at + U32 * (this.count + start),
      low: this.#at + 2 * U32 * this.count + 2 * start,
    };
  }

  /** The lower bits of the hashes of {@link high}. */
  async low(range: number, bits: number): Promise<Uint16Array> {
    const step = 2 ** (FENCE_BITS - bits);
    const start = this.#fences[range * step]!;
    return this.#halves(start, this.#fences[(range + 1) * step]! - start);
  }

  /** Does several reads of the section at the price of one. */
  async opened<T>(reads: () => Promise<T>): Promise<T> {
    return this.#file.opened(reads);
  }

  /** How many hashes a range holds. */
  size(range: number, bits: number): number {
    const step = 2 ** (FENCE_BITS - bits);
    return this.#fences[(range + 1) * step]! - this.#fences[range * step]!;
  }

  /** Row numbers at ascending indexes of the section. */
  async rowsAt(indexes: Uint32Array, room?: ReadRoom): Promise<Uint32Array> {
    return this.#gather(indexes, async (from, to) =>
      this.#words(this.#at + U32 * (this.count + from), to - from, room),
    );
  }

  /** Lower 16 bits of the hashes at ascending indexes of the section. */
  async lowsAt(indexes: Uint32Array, room?: ReadRoom): Promise<Uint32Array> {
    return this.#gather(indexes, async (from, to) => this.#halves(from, to - from, room));
  }

  /** All row numbers, by part of the hash. */
  async rows(): Promise<Uint32Array> {
    return this.#words(this.#at + U32 * this.count, this.count);
  }

  async #halves(from: number, count: number, memory?: Memory): Promise<Uint16Array> {
    const bytes = await this.#file.bytes(this.#at + 2 * U32 * this.count + 2 * from, 2 * count, memory);
    return new Uint16Array(bytes.buffer, bytes.byteOffset, count);
  }

  async #words(at: number, count: number, memory?: Memory): Promise<Uint32Array> {
    const bytes = await this.#file.bytes(at, U32 * count, memory);
    return new Uint32Array(bytes.buffer, bytes.byteOffset, count);
  }

  /** A few are read one by one, many with all between them. */
  async #gather(
    indexes: Uint32Array,
    read: (from: number, to: number) => Promise<Uint32Array | Uint16Array>,
  ): Promise<Uint32Array> {
    const found = new Uint32Array(indexes.length);
    for (let i = 0; i < indexes.length;) {
      const from = indexes[i]!;
      let end = i + 1;
      while (end < indexes.length && indexes[end]! - indexes[end - 1]! < NEAR) end++;
      const part = await read(from, indexes[end - 1]! + 1);
      for (; i < end; i++) found[i] = part[indexes[i]! - from]!;
    }
    return found;
  }
}

/** Values closer to each other than this are read at once. */
const NEAR = 16 * 1024;

/** An index on a local disk. */
export class IndexFile {
  readonly path: string;
  readonly rows: number;
  readonly sections: readonly Section[];
  #open: FileHandle | null = null;

  private constructor(path: string, rows: number, headers: readonly Uint32Array[]) {
    this.path = path;
    this.rows = rows;
    let at = HEADER + headers.length * SECTION_HEADER;
    this.sections = headers.map((header) => {
      const section = new Section(this, header, at);
      at += planeBytes(header[0]!);
      return section;
    });
  }

  /**
   * Opens an index; null when there is none of this name, or what is there is not it: it is then made anew.
   * @param sections how many it must have.
   */
  static async open(path: string, identity: string, sections: number): Promise<IndexFile | null> {
    let file: FileHandle;
    try {
      file = await open(path, 'r');
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT') return null;
      throw error;
    }
    try {
      const length = HEADER + sections * SECTION_HEADER;
      const head = Buffer.from(new ArrayBuffer(length));
      const { bytesRead } = await file.read(head, 0, length, 0);
      const { size } = await file.stat();
      if (bytesRead !== length || head.toString('latin1', 0, MAGIC.length) !== MAGIC) return null;
      if (head.toString('hex', MAGIC.length, MAGIC.length + IDENTITY_BYTES) !== identity) return null;
      if (head.readUInt32LE(MAGIC.length + IDENTITY_BYTES + U32) !== sections) return null;
      const headers = Array.from(
        { length: sections },
        (_, i) => new Uint32Array(head.buffer, HEADER + i * SECTION_HEADER, 1 + FENCES),
      );
      const expected = headers.reduce((sum, header) => sum + planeBytes(header[0]!), length + MAGIC.length);
      if (size !== expected) return null;
      const end = Buffer.alloc(MAGIC.length);
      await file.read(end, 0, MAGIC.length, size - MAGIC.length);
      if (end.toString('latin1') !== MAGIC) return null;
      return new IndexFile(path, head.readUInt32LE(MAGIC.length + IDENTITY_BYTES), headers);
    } finally {
      await file.close();
    }
  }

  /** Keeps the file open while `reads` are done. */
  async opened<T>(reads: () => Promise<T>): Promise<T> {
    if (this.#open !== null) return reads();
    const file = await open(this.path, 'r');
    this.#open = file;
    try {
      return await reads();
    } finally {
      this.#open = null;
      await file.close();
    }
  }

  /** Bytes at a multiple of 2, in a buffer whose offset is one of the values' width. */
  async bytes(at: number, length: number, memory?: Memory): Promise<Buffer> {
    if (length === 0) return Buffer.from(new ArrayBuffer(0));
    const bytes = memory?.take(length) ?? Buffer.from(new ArrayBuffer(length));
    if (this.#open !== null) return fill(bytes, this.#open, at, this.path);
    const file = await open(this.path, 'r');
    try {
      return await fill(bytes, file, at, this.path);
    } finally {
      await file.close();
    }
  }
}
