const CHUNK = 2 ** 14;

/**
 * Calls `work` for 0 … `length`, a chunk at a time. V8 optimises a function that is called often for good; one that is called
 * once for a million elements it optimises while it runs, throws that away when the loop ends, and begins again with the next
 * million. So loops over all rows stand in functions of their own, of plain arrays and numbers.
 */
export function inChunks(length: number, work: (from: number, to: number) => void): void {
  for (let from = 0; from < length; from += CHUNK) work(from, Math.min(length, from + CHUNK));
}
