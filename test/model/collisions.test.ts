import type { Column } from '../../src/contract/contract';
import * as hashes from '../../src/engine/hashes';
import * as polars from '../../src/engine/polars';
import { histories } from './support/arbitrary-history';
import { checkHistories, laboratory } from './support/check-histories';
import type { History, Line, Rules } from './support/history';

// Frames of a few rows need no collection, and there are many.
jest.mock('../../src/engine/memory', () => ({ releaseNativeMemory: async () => {} }));

/*
 * Hashes only say where to look: what is found is settled on true values. Here they have three values, so that unequal
 * keys, and unequal values of `unique` gates, share theirs all the time; of two an index cannot even tell one from the
 * other, as it keeps the upper 48 of 53 bits.
 */
jest.mock('../../src/engine/hashes', () => {
  const real = jest.requireActual<typeof hashes>('../../src/engine/hashes');
  const { pl } = jest.requireActual<typeof polars>('../../src/engine/polars');
  const [first, second, third] = [1, 2, 2 ** 52].map((value) => pl.lit(value).cast(pl.Float64));
  const hashOf: typeof real.hashOf = (...columns) => {
    const hash = real.hashOf(...columns);
    const rest = hash.modulo(pl.lit(3).cast(pl.Float64));
    const one = pl.choose(rest.eq(pl.lit(0)), first!, pl.choose(rest.eq(pl.lit(1)), second!, third!));
    // What takes no part has none, as before.
    return pl.choose(hash.eq(pl.lit(0)), hash, one);
  };
  return { ...real, hashOf };
});

const HISTORIES = 20;

const lab = laboratory();

/** Two of four keys, and of four unique values, share a hash for certain. */
const fourKeys = (scope: Rules['scope']): History => ({
  format: 'directory',
  rules: {
    key: ['id'],
    orderBy: [{ column: 'updated', direction: 'desc' }],
    scope,
    lookback: 0,
    reprocess: 'changed',
    gone: 'remove',
    memory: 1024 ** 3,
    gates: ['receipt'],
  },
  steps: [
    {
      do: 'put',
      day: 0,
      file: 0,
      content: {
        lines: ['1', '2', '3', '4'].map((id): Line => [id, null, '1', null, null, `receipt ${id}`]),
        stored: 'none',
        writer: 'pyarrow',
      },
    },
    { do: 'incremental' },
  ],
});

test('unequal values do share their hashes here', async () => {
  const column: Column = { name: 'n', type: { kind: 'float64' } };
  const frame = polars.frameOf({ n: Float64Array.from({ length: 100 }, (_, index) => index) });
  const hashed = await frame
    .lazy()
    .select(hashes.hashOf([column]).alias('h'))
    .collect();
  expect(new Set(polars.numbersOf(hashed, 'h'))).toEqual(new Set([1, 2, 2 ** 52]));
});

test.each(['partition', 'table'] as const)('four keys on three hashes are four keys, in scope %s', async (scope) => {
  await lab.replay(fourKeys(scope));
  expect(lab.tally.compared).toBeGreaterThan(0);
});

test(`keys and unique values that share a hash are told apart all the same (${HISTORIES} histories)`, async () => {
  await checkHistories(histories(['table', 'table', 'partition']), lab.replay, { runs: HISTORIES, within: 200_000 });
  expect(lab.tally.compared).toBeGreaterThan(HISTORIES);
}, 240_000);
