/**
 * The same values, each handed out once the one after it has been made.
 *
 * @param mayHurry said of each value: whether the next one may be made while this one is kept.
 */
export async function* oneAhead<T>(source: AsyncIterable<T>, mayHurry: (value: T) => boolean): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    let current = await iterator.next();
    while (current.done !== true) {
      const next = mayHurry(current.value) ? await iterator.next() : null;
      yield current.value;
      current = next ?? (await iterator.next());
    }
  } finally {
    await iterator.return?.();
  }
}
