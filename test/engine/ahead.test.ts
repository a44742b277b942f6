import { oneAhead } from '../../src/engine/ahead';

/** 0, 1, 2 …, noted when made, and -1 at the end. */
async function* numbers(made: number[], until: number, fails = Number.POSITIVE_INFINITY): AsyncGenerator<number> {
  try {
    for (let n = 0; n < until; n += 1) {
      if (n === fails) throw new Error(`no ${n}`);
      made.push(n);
      yield n;
    }
  } finally {
    made.push(-1);
  }
}

describe('values made one ahead of their use', () => {
  test('come in order, the next one there already', async () => {
    const made: number[] = [];
    const seen: number[][] = [];
    for await (const n of oneAhead(numbers(made, 3), () => true)) seen.push([n, ...made]);
    expect(seen).toEqual([
      [0, 0, 1],
      [1, 0, 1, 2],
      [2, 0, 1, 2, -1],
    ]);
  });

  test('are made one by one where they may not hurry', async () => {
    const made: number[] = [];
    const seen: number[][] = [];
    for await (const n of oneAhead(numbers(made, 3), (value) => value === 1)) seen.push([n, ...made]);
    expect(seen).toEqual([
      [0, 0],
      [1, 0, 1, 2],
      [2, 0, 1, 2],
    ]);
    expect(made.at(-1)).toBe(-1);
  });

  test('fail as they do', async () => {
    const all = async (): Promise<void> => {
      for await (const _ of oneAhead(numbers([], 4, 2), () => true));
    };
    await expect(all()).rejects.toThrow('no 2');
  });

  test('end with their use', async () => {
    const made: number[] = [];
    for await (const n of oneAhead(numbers(made, 9), () => true)) if (n === 1) break;
    expect(made).toEqual([0, 1, 2, -1]);
  });
});
