/**
 * The C library maps a piece as large as this on its own, and gives it back to the system when it is freed; smaller ones, of
 * several threads, it keeps in arenas that grow full of holes.
 */
const MAPPED = 64 * 1024 * 1024;

/** Memory taken piece by piece and let go of as a whole. */
export class HeldMemory {
  #chunk = new ArrayBuffer(0);
  #used = 0;

  /** Zeros, at a multiple of 8. */
  take(length: number): Buffer {
    if (this.#used + length > this.#chunk.byteLength) {
      this.#chunk = new ArrayBuffer(Math.max(MAPPED, length));
      this.#used = 0;
    }
    const at = this.#used;
    this.#used += Math.ceil(length / 8) * 8;
    return Buffer.from(this.#chunk, at, length);
  }
}

const spare: ArrayBuffer[] = [];
const SPARES = 2;

/** Memory for one thing after another; it holds anything at first. Whoever is done with it gives it back. */
export function borrow(length: number): Buffer {
  const at = spare.findIndex(({ byteLength }) => byteLength >= length);
  const memory = at < 0 ? new ArrayBuffer(Math.max(MAPPED, length)) : spare.splice(at, 1)[0]!;
  return Buffer.from(memory, 0, length);
}

export function giveBack(borrowed: Buffer): void {
  if (borrowed.buffer.byteLength === MAPPED && spare.length < SPARES) spare.push(borrowed.buffer as ArrayBuffer);
}
