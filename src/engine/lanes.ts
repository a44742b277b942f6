/**
 * Does all the work, at most `lanes` pieces of it at once, each told its lane, from 0. What is asynchronous is asked for the next
 * item when a lane is free. The first failure is thrown when all lanes have ended.
 */
export async function inLanes<T>(
  items: Iterable<T> | AsyncIterable<T>,
  lanes: number,
  work: (item: T, lane: number) => Promise<void>,
): Promise<void> {
  const source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  const state = { failed: false };
  const inLane = async (_: unknown, lane: number): Promise<void> => {
    try {
      while (!state.failed) {
        const next = await source.next();
        if (next.done === true) return;
        await work(next.value, lane);
      }
    } catch (error) {
      state.failed = true;
      throw error;
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: lanes }, inLane));
  if (state.failed) await source.return?.();
  const failure = ended.find(({ status }) => status === 'rejected');
  if (failure?.status === 'rejected') throw failure.reason;
}
