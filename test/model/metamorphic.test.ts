import fc from 'fast-check';
import { batchOfFiles, filesInPlaces, rulesFor, shuffled } from './support/arbitrary-history';
import { laboratory } from './support/check-histories';
import type { History, Line, RawStep, Rules, RunStep, Step } from './support/history';
import type { Expected } from './support/sql-oracle';
import { World } from './support/world';

// Frames of a few rows need no collection, and there are many.
jest.mock('../../src/engine/memory', () => ({ releaseNativeMemory: async () => {} }));

/** Of each property and scope. */
const CASES = 5;
const TWENTY = 20;
const INCREMENTAL: RunStep = { do: 'incremental' };
const SCOPES = ['partition', 'table'] as const;

const lab = laboratory();

/** What the table is after this. */
async function outcome(history: History): Promise<Expected> {
  return lab.within(async (folder) => {
    const world = await World.replay(history, folder, lab.oracle, lab.tally);
    return world.published();
  });
}

async function check<T>(given: fc.Arbitrary<T>, holds: (value: T) => Promise<void>, numRuns = CASES): Promise<void> {
  await fc.assert(fc.asyncProperty(given, holds), { numRuns });
}

/** A run after every so many steps. */
function withRuns(steps: readonly RawStep[], every: number, run: RunStep): Step[] {
  return steps.flatMap((step, index) => ((index + 1) % every === 0 ? [step, run] : [step]));
}

describe.each(SCOPES)('in scope %s', (scope) => {
  const base = (rules: Rules, steps: readonly Step[]): History => ({ format: 'directory', rules, steps });

  test('the order in which files arrive, and after how many of them there is a run, is no matter', async () => {
    const given = fc.record({ rules: rulesFor(scope), files: batchOfFiles }).chain(({ rules, files }) =>
      fc.record({
        rules: fc.constant(rules),
        files: fc.constant(files),
        order: shuffled(files),
        every: fc.integer({ min: 1, max: 3 }),
      }),
    );
    await check(given, async ({ rules, files, order, every }) => {
      const once = await outcome(base(rules, files));
      expect(await outcome(base(rules, withRuns(order, every, INCREMENTAL)))).toEqual(once);
    });
  }, 240_000);

  test('one run or twenty, each after another file: no matter', async () => {
    const given = fc.record({ rules: rulesFor(scope), files: filesInPlaces(TWENTY) });
    const each = async ({ rules, files }: { rules: Rules; files: readonly RawStep[] }): Promise<void> => {
      const once = await outcome(base(rules, files));
      const before = lab.tally.commits;
      expect(await outcome(base(rules, withRuns(files, 1, INCREMENTAL)))).toEqual(once);
      expect(lab.tally.commits - before).toBeGreaterThanOrEqual(TWENTY);
    };
    await check(given, each, 1);
  }, 240_000);

  test('both formats hold the same table, whoever transforms what first', async () => {
    const given = fc.record({
      rules: rulesFor(scope),
      files: batchOfFiles,
      groups: fc.constantFrom('each, backwards', 'each, at once'),
    });
    await check(given, async ({ rules, files, groups }) => {
      const steps = withRuns(files, 3, INCREMENTAL);
      const one = await outcome(base(rules, steps));
      const shared = withRuns(files, 3, { ...INCREMENTAL, groups });
      expect(await outcome({ format: 'delta', rules, steps: shared })).toEqual(one);
      expect(await outcome({ format: 'directory', rules, steps: shared })).toEqual(one);
    });
  }, 240_000);

  test('memory for key resolution is no matter', async () => {
    await check(fc.record({ rules: rulesFor(scope), files: batchOfFiles }), async ({ rules, files }) => {
      const steps = withRuns(files, 2, INCREMENTAL);
      const plenty = await outcome(base({ ...rules, memory: 1024 ** 3 }, steps));
      expect(await outcome(base({ ...rules, memory: 2048 }, steps))).toEqual(plenty);
    });
  }, 240_000);

  test('how rows without ties are shared out to files, and what these are called, is no matter', async () => {
    const given = fc.record({ rules: rulesFor(scope), files: batchOfFiles, at: fc.nat({ max: 5 }) });
    await check(given, async ({ rules: tied, files: some, at }) => {
      const rules: Rules = { ...tied, orderBy: [{ column: 'seq', direction: 'desc' }] };
      const files = untied(some);
      const whole = await outcome(base(rules, files));
      const split = await outcome(base(rules, withRuns(renamedAndSplit(files, at), 2, INCREMENTAL)));
      expect(unplaced(split)).toEqual(unplaced(whole));
    });
  }, 240_000);
});

type Put = Extract<RawStep, { do: 'put' }>;

/** The same files, with another ordering value in every row. */
function untied(files: readonly Put[]): Put[] {
  let next = 0;
  return files.map((file) => ({
    ...file,
    content: {
      ...file.content,
      stored: 'none',
      lines: file.content.lines.map(([id, part, updated, , amount, receipt]): Line => [
        id,
        part,
        updated,
        String((next += 1)),
        amount,
        receipt,
      ]),
    },
  }));
}

/** Each file under another name, its rows from `at` on in a second file. */
function renamedAndSplit(files: readonly Put[], at: number): Put[] {
  return files.flatMap((file) => {
    const { lines } = file.content;
    return [lines.slice(at), lines.slice(0, at)].map((own, half): Put => ({
      ...file,
      file: half * 3 + ((file.file + 1) % 3),
      content: { ...file.content, lines: own },
    }));
  });
}

/** Without the places that rows came from, and their order. */
function unplaced({ curated, quarantine, counts }: Expected): unknown {
  const sorted = (rows: readonly (readonly unknown[])[]) => rows.map((row) => JSON.stringify(row)).toSorted();
  return { curated: sorted(curated), quarantine: sorted(quarantine.map((row) => row.slice(0, -2))), counts };
}
