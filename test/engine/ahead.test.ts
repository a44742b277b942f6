import { setImmediate } from 'node:timers/promises';
import { ahead } from '../../src/engine/ahead';

async function* numbers(made: number[], until: number, fails = Number.POSITIVE_INFINITY): AsyncGenerator<number> {
  try {
    for (let n = 0; n < until; n += 1) {
      await setImmediate();
      if (n === fails) throw new Error(`no ${n}`);
      made.push(n);
      yield n;
    }
  } finally {
    made.push(-1);
  }
}

describe('making values one ahead of their use', () => {
  test('gives all of them in order, the next being made while one is used', async () => {
    const made: number[] = [];
    const seen: [number, number][] = [];
    for await (const n of ahead(numbers(made, 4), () => true)) {
      await setImmediate();
      await setImmediate();
      seen.push([n, made.length]);
    }
    expect(seen).toEqual([
      [0, 2],
      [1, 3],
      [2, 4],
      [3, 5],
    ]);
  });

  test('waits where it may not hurry', async () => {
    const made: number[] = [];
    for await (const n of ahead(numbers(made, 3), () => false)) {
      await setImmediate();
      await setImmediate();
      expect(made).toHaveLength(n + 1);
    }
    expect(made).toEqual([0, 1, 2, -1]);
  });

  test('tells a failure when its turn comes', async () => {
    const seen: number[] = [];
    const all = async (): Promise<void> => {
      for await (const n of ahead(numbers([], 4, 2), () => true)) {
        await setImmediate();
        seen.push(n);
      }
    };
    await expect(all()).rejects.toThrow('no 2');
    expect(seen).toEqual([0, 1]);
  });

  test('leaves nothing under way when its user fails', async () => {
    const made: number[] = [];
    const all = async (): Promise<void> => {
      for await (const n of ahead(numbers(made, 4), () => true)) if (n === 1) throw new Error('enough');
    };
    await expect(all()).rejects.toThrow('enough');
    expect(made).toEqual([0, 1, 2, -1]);
  });
});
