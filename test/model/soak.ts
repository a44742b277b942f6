import fc from 'fast-check';
import { histories, keepingWhatIsGone } from './support/arbitrary-history';
import { checkHistories, laboratory } from './support/check-histories';

jest.mock('../../src/engine/memory', () => ({ releaseNativeMemory: async () => {} }));

/** `npm run soak:model`: many histories, longer ones. */
const RUNS = Number(process.env['TIDEGATE_SOAK_RUNS']);
const SEED = Number(process.env['TIDEGATE_SOAK_SEED']);
const TOLD_EVERY = 100;

const all = histories(['table', 'table', 'partition'], 24);
const lab = laboratory();

test(`soak: ${RUNS} histories of seed ${SEED}`, async () => {
  const began = Date.now();
  const tell = (done: number): void => {
    const { commits, crashes, refusals, compared } = lab.tally;
    process.stderr.write(
      `${done} of ${RUNS} histories in ${Math.round((Date.now() - began) / 1000)} s: ${commits} commits, ${crashes} crashes, ` +
        `${refusals} refusals; ${compared} tables held against the oracle\n`,
    );
  };
  await checkHistories(
    fc.oneof({ weight: 3, arbitrary: all }, { weight: 1, arbitrary: keepingWhatIsGone(all) }),
    lab.replay,
    {
      runs: RUNS,
      seed: SEED,
      shrink: process.env['TIDEGATE_SOAK_SHRINK'] !== 'no',
      onProgress: (done) => {
        if (done % TOLD_EVERY === 0 || done === RUNS) tell(done);
      },
    },
  );
}, 2_147_483_647);
