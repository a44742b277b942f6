/**
 * The same values, each asked for while the one before is being used. Ends only when nothing is under
 * way any more, even when whoever takes them fails.
 *
 * @param mayHurry said of each value: whether the next one may be made while this one is in use.
 */
export async function* ahead<T>(source: AsyncIterable<T>, mayHurry: (value: T) => boolean): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  let next: Promise<IteratorResult<T>> | null = null;
  try {
    for (;;) {
      const { done, value } = await (next ?? iterator.next());
      next = null;
      if (done === true) return;
      if (mayHurry(value)) {
        next = iterator.next();
        // Its failure is told when its turn comes.
        next.catch(() => {});
      }
      yield value;
    }
  } finally {
    await next?.catch(() => {});
    await iterator.return?.();
  }
}
