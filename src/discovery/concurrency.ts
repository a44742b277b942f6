/** Footers and stats in flight: enough to keep the thread pool busy, few enough for any limit on open files. */
const IN_FLIGHT = 32;

/** Maps in order with a bounded number of calls in flight; the first error, or the signal's abort, stops it. */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<R>,
  options: { readonly signal?: AbortSignal } = {},
): Promise<R[]> {
  const { default: pMap } = await import('p-map');
  return pMap(items, work, { concurrency: IN_FLIGHT, signal: options.signal });
}
