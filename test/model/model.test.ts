import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { histories, keepingWhatIsGone } from './support/arbitrary-history';
import { checkHistories, laboratory } from './support/check-histories';
import type { History } from './support/history';

// Frames of a few rows need no collection, and there are many.
jest.mock('../../src/engine/memory', () => ({ releaseNativeMemory: async () => {} }));

const HISTORIES = 120;
const KEEPING = 40;
/** Milliseconds: a failure is told, as short as it got by then, before the test's own time is up. */
const WITHIN = 540_000;
const OPEN = join(__dirname, 'open');
const REGRESSIONS = join(__dirname, 'regressions');

const lab = laboratory();

test(`whatever happens, the table is one full run over the raw zone as it stands (${HISTORIES} histories)`, async () => {
  await checkHistories(histories(['partition', 'table']), lab.replay, { runs: HISTORIES, within: WITHIN });
  // Histories in which nothing happens show nothing.
  const { commits, crashes, compared } = lab.tally;
  expect(commits).toBeGreaterThan(HISTORIES);
  expect(compared).toBeGreaterThan(HISTORIES);
  expect(crashes).toBeGreaterThan(HISTORIES / 10);
}, 600_000);

test(`what is gone and kept loses rows only, and the rest is exact (${KEEPING} histories)`, async () => {
  await checkHistories(keepingWhatIsGone(histories(['table', 'partition'])), lab.replay, {
    runs: KEEPING,
    within: WITHIN,
  });
}, 600_000);

const scriptsIn = (folder: string): string[] =>
  existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
const script = (folder: string, name: string): History =>
  JSON.parse(readFileSync(join(folder, name), 'utf8')) as History;

test.each(scriptsIn(REGRESSIONS))('once failed, or would go unseen by chance: %s', async (name) => {
  await lab.replay(script(REGRESSIONS, name));
});

// To be moved to the regressions by whoever mends it: this test then says so.
for (const name of scriptsIn(OPEN)) {
  test(`fails, and should not: ${name}`, async () => {
    await expect(lab.replay(script(OPEN, name))).rejects.toThrow('is not one full run');
  });
}
