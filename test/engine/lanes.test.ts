import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { inLanes } from '../../src/engine/lanes';

async function* slowly<T>(items: readonly T[], onEnd: () => void): AsyncGenerator<T> {
  try {
    for (const item of items) {
      await setTimeout(0);
      yield item;
    }
  } finally {
    onEnd();
  }
}

test('every item is worked on once, in no more lanes than there are, and a failure waits for what is under way', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(3), { maxLength: 12 }),
      fc.integer({ min: 1, max: 4 }),
      fc.option(fc.nat(11)),
      fc.boolean(),
      async (delays, lanes, failing, isAsync) => {
        const done: number[] = [];
        const busy = new Set<number>();
        let ended = false;
        const items = delays.map((delay, index) => ({ delay, index }));
        const source = isAsync ? slowly(items, () => (ended = true)) : items;
        const all = inLanes(source, lanes, async ({ delay, index }, lane) => {
          expect(lane).toBeLessThan(lanes);
          // One at a time in each lane.
          expect(busy.has(lane)).toBe(false);
          busy.add(lane);
          await setTimeout(delay);
          busy.delete(lane);
          if (index === failing) throw new Error(`item ${index}`);
          done.push(index);
        });
        const fails = failing !== null && failing < delays.length;
        if (fails) await expect(all).rejects.toThrow(`item ${failing}`);
        else await all;
        expect(busy.size).toBe(0);
        expect(new Set(done).size).toBe(done.length);
        if (!fails) expect(done.toSorted((a, b) => a - b)).toEqual(items.map(({ index }) => index));
        // What a source holds open is let go of.
        if (isAsync && delays.length > 0) expect(ended).toBe(true);
      },
    ),
    { numRuns: 60 },
  );
});
