/**
 * The C library maps a piece as large as this on its own, and gives it back to the system when it is freed; smaller ones, of
 * several threads, it keeps in arenas that grow full of holes.
 */
const MAPPED = 64 * 1024 * 1024;

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
