import type { FileHandle } from 'node:fs/promises';

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

/** For reads that are needed together. */
export class Arena implements Memory {
  #memory = new ArrayBuffer(0);
  #used = 0;

  /** Lets go of all that was taken, and makes room for `takes` pieces of so many bytes together. */
  clear(bytes: number, takes: number): void {
    this.#used = 0;
    const needed = bytes + takes * ALIGNED;
    // A little more: the next range is about as large.
    if (this.#memory.byteLength < needed) this.#memory = new ArrayBuffer(Math.ceil(needed * 1.0625));
  }

  /** Good until {@link clear}. */
  take(length: number): Buffer {
    const at = this.#used;
    this.#used += Math.ceil(length / ALIGNED) * ALIGNED;
    return Buffer.from(this.#memory, at, length);
  }
}
const ALIGNED = 8;

/** Reads as many bytes. @throws Error when the file ends before. */
export async function fill(bytes: Buffer, file: FileHandle, at: number, path: string): Promise<Buffer> {
  for (let done = 0; done < bytes.length;) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, at + done);
    if (bytesRead === 0) throw new Error(`${path} ended early: expected ${bytes.length} bytes at ${at}`);
    done += bytesRead;
  }
  return bytes;
}
