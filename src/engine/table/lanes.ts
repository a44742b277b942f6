/** Does all the work, at most `lanes` pieces of it at once, each told its lane, from 0. The first failure is thrown when all lanes have ended. */
export async function inLanes<T>(
  items: readonly T[],
  lanes: number,
  work: (item: T, lane: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failed = false;
  const inLane = async (_: unknown, lane: number): Promise<void> => {
    while (!failed && next < items.length) {
      try {
        await work(items[next++]!, lane);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: Math.min(lanes, items.length) }, inLane));
  const failure = ended.find(({ status }) => status === 'rejected');
  if (failure?.status === 'rejected') throw failure.reason;
}
