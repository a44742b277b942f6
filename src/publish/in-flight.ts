/** File operations under way at once. More only queue up: Node runs them on four threads unless told otherwise. */
export const IN_FLIGHT = 64;

/**
 * Calls `work` for every item, at most `lanes` at a time. When one fails or the signal
 * aborts, no more are begun, and the error is thrown only after those under way have ended: whoever
 * cleans up afterwards meets no straggler that still writes. (This is why it is not p-map.)
 */
export async function forEachInFlight<Item>(
  items: Iterable<Item>,
  work: (item: Item) => Promise<unknown>,
  signal?: AbortSignal,
  lanes = IN_FLIGHT,
): Promise<void> {
  const queue = items[Symbol.iterator]();
  const failures: unknown[] = [];
  const lane = async (): Promise<void> => {
    for (let next = queue.next(); !next.done && failures.length === 0; next = queue.next()) {
      try {
        signal?.throwIfAborted();
        await work(next.value);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  if (failures.length > 0) throw failures[0];
}
