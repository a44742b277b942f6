/** More is not kept. */
const KEPT = 2 ** 22;
let numbers = new Uint32Array(0);

/**
 * An array that holds anything, of this length or longer, good until room is asked for again: use it before anything
 * is awaited. Large arrays made anew each time have V8 collect garbage again and again: it does so whenever 64 MiB of
 * them were allocated, however little else there is.
 */
export function room(length: number): Uint32Array {
  if (length > KEPT) return new Uint32Array(length);
  if (numbers.length < length) numbers = new Uint32Array(length);
  return numbers;
}
