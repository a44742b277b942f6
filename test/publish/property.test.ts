import fc from 'fast-check';
import { join } from 'node:path';
import { rm } from 'node:fs/promises';
import { VoidPlan } from '../../src/errors';
import { openTable } from '../../src/publish';
import { CRASHES, installFaults, underDoom } from '../support/fs-faults';
import { checkTable, readVersion } from './support/check-table';
import { contractFor, day, newTablePath, stage } from './support/fixture';

const DATES = ['2026-05-01', '2026-05-02', '2026-05-03', '2026-05-04'];

/** One publisher's life: it plans on some version, publishes, and may die, or be failed, at some file operation. */
const step = fc.record({
  /** Few ids, so that some come back. */
  request: fc.integer({ min: 0, max: 5 }).map((n) => `request ${n}`),
  dates: fc.subarray(DATES, { minLength: 1 }),
  /** Those of them that are published leave the table, unless the run rewrites them. */
  gone: fc.oneof(fc.constant<string[]>([]), fc.subarray(DATES)),
  /** Plans on this many versions before the newest. */
  behind: fc.constantFrom(0, 0, 0, 1, 2),
  doom: fc.option(fc.record({ at: fc.integer({ min: 0, max: 130 }), mode: fc.constantFrom(...CRASHES) }), {
    nil: null,
    freq: 3,
  }),
  keep: fc.constantFrom({ versions: 1, days: 0 }, { versions: 2, days: 0 }, { versions: 30, days: 7 }),
});

const NO_FAULT = { at: Number.POSITIVE_INFINITY, mode: 'before' } as const;

let uninstall = (): void => {};
beforeAll(() => {
  uninstall = installFaults();
});
afterAll(() => uninstall());

it('whatever is published, dies and recovers, in any order: one commit a request, and the table is the sum of its commits', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 10 }), async (steps) => {
      const path = await newTablePath();
      try {
        await openTable(contractFor(path)).claimFolder();
        /** What the table should show, by the commits acknowledged or found. */
        let model: Record<string, string> = {};
        const committed: string[] = [];
        const bases = [await openTable(contractFor(path)).read()];

        for (const { request, dates, gone, behind, doom, keep } of steps) {
          const contract = contractFor(path, { keep });
          const base = bases.at(-1 - Math.min(behind, bases.length - 1))!;
          const removed = gone.filter((date) => base.partitions.has(day(date)) && !dates.includes(date));
          const outcomes = dates.map((date) => ({ date }));
          const input = await stage({ contract, base, requestId: request, outcomes, removed });
          const { outcome } = await underDoom(doom ?? NO_FAULT, () => openTable(contract).publish(input));

          const { table, commits } = await checkTable(contract);
          const known = committed.includes(request);
          const stale = base.version !== committed.length;
          if (outcome.status === 'fulfilled') {
            expect(known || !stale).toBe(true);
            expect(await table.find(request)).toEqual(outcome.value);
          } else if (doom === null) {
            expect(outcome.reason).toBeInstanceOf(VoidPlan);
            expect(known).toBe(false);
            expect(stale).toBe(true);
          }
          if (commits.length > committed.length) {
            expect(known || stale).toBe(false);
            committed.push(request);
            model = { ...model, ...Object.fromEntries(dates.map((date) => [date, request])) };
            for (const date of removed) delete model[date];
            bases.push(await table.read());
          }
          expect(commits.map((commit) => commit.requestId)).toEqual(committed);
          if (commits.length > 0) {
            const sorted = Object.fromEntries(Object.entries(model).toSorted(([a], [b]) => (a < b ? -1 : 1)));
            expect(await readVersion((await table.pathOf()).path)).toEqual(sorted);
          }
        }
      } finally {
        await rm(join(path, '..'), { recursive: true });
      }
    }),
    { numRuns: 60 },
  );
}, 240_000);
