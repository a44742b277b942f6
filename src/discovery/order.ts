/** Orders text by its UTF-8 bytes, which differs from JavaScript's `<` beyond the basic plane. */
export function compareBytes(a: string, b: string): number {
  // Within ASCII both orders agree, and comparing text is far cheaper than encoding it.
  if (ASCII.test(a) && ASCII.test(b)) return a < b ? -1 : a > b ? 1 : 0;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

// eslint-disable-next-line no-control-regex
const ASCII = /^[\x00-\x7f]*$/;

export const byPath = (a: { readonly path: string }, b: { readonly path: string }): number =>
  compareBytes(a.path, b.path);

/** ISO dates order as text. */
export const byDate = (a: { readonly date: string }, b: { readonly date: string }): number =>
  a.date < b.date ? -1 : a.date > b.date ? 1 : 0;
