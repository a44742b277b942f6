import type { FileHandle } from 'node:fs/promises';
import { MAPPED } from './spare-memory';

/** Where what is read goes: V8 collects garbage whenever 64 MiB of new buffers were made, so these are used again. */
export interface Memory {
  /** It holds anything, and begins at a multiple of 8. */
  take(length: number): Buffer;
}

/** For one read after another. */
export class ReadRoom implements Memory {
  #memory = new ArrayBuffer(0);

  /** Good until the next is taken. */
  take(length: number): Buffer {
    if (this.#memory.byteLength < length) this.#memory = new ArrayBuffer(2 ** Math.ceil(Math.log2(length)));
    return Buffer.from(this.#memory, 0, length);
  }
}

/** For many reads that are needed together. */
export class Arena implements Memory {
  readonly #chunks: ArrayBuffer[] = [];
  #current = 0;
  #used = 0;

  /** Good until {@link clear}. */
  take(length: number): Buffer {
    for (; this.#current < this.#chunks.length; this.#current++, this.#used = 0) {
      const chunk = this.#chunks[this.#current]!;
      if (this.#used + length > chunk.byteLength) continue;
      const at = this.#used;
      this.#used += Math.ceil(length / 8) * 8;
      return Buffer.from(chunk, at, length);
    }
    this.#chunks.push(new ArrayBuffer(Math.max(this.#chunks.length === 0 ? FIRST : MAPPED, length)));
    return this.take(length);
  }

  /** Lets go of all that was taken. */
  clear(): void {
    [this.#current, this.#used] = [0, 0];
  }
}
/** A small table needs little. */
const FIRST = 2 ** 20;

/** Reads as many bytes. @throws Error when the file ends before. */
export async function fill(bytes: Buffer, file: FileHandle, at: number, path: string): Promise<Buffer> {
  for (let done = 0; done < bytes.length;) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, at + done);
    if (bytesRead === 0) throw new Error(`${path} ended early: expected ${bytes.length} bytes at ${at}`);
    done += bytesRead;
  }
  return bytes;
}
