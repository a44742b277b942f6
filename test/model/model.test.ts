import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { histories } from './support/arbitrary-history';
import { checkHistories, laboratory } from './support/check-histories';
import type { History } from './support/history';

// Frames of a few rows need no collection, and there are many.
jest.mock('../../src/engine/memory', () => ({ releaseNativeMemory: async () => {} }));

const HISTORIES = 120;
const REGRESSIONS = join(__dirname, 'regressions');

const lab = laboratory();

test(`whatever happens, the table is one full run over the raw zone as it stands (${HISTORIES} histories)`, async () => {
  await checkHistories(histories(['partition']), lab.replay, { runs: HISTORIES });
  // Histories in which nothing happens show nothing.
  const { commits, crashes, compared } = lab.tally;
  expect(commits).toBeGreaterThan(HISTORIES);
  expect(compared).toBeGreaterThan(HISTORIES);
  expect(crashes).toBeGreaterThan(HISTORIES / 10);
}, 600_000);

const kept = readdirSync(REGRESSIONS).filter((name) => name.endsWith('.json'));
test.each(kept)('once failed: %s', async (name) => {
  await lab.replay(JSON.parse(readFileSync(join(REGRESSIONS, name), 'utf8')) as History);
});
