import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { boundByPermissions } from '../support/bad-disk';
import { Zone } from '../support/bad-zone';
import { Installation } from '../support/installation';
import { testUnless } from '../support/needs';
import { transactions } from '../support/transactions';

/** A worker that may not read what it is to read, or write where it is to write. */
const under = boundByPermissions();
const whereBound = testUnless(typeof under === 'string' ? under : null);

let it_: Installation;

beforeAll(async () => {
  if (typeof under === 'string') return;
  it_ = await Installation.create();
  await it_.worker({ TIDEGATE_ACTIVITY_ATTEMPTS: '2' }, under);
}, 180_000);
afterAll(async () => {
  await it_?.dispose();
});

/** Takes permissions away while a run fails, and gives them back, after which everything is published. */
async function failsWithout(zone: Zone, path: string, mode: number): Promise<Awaited<ReturnType<Zone['failure']>>> {
  zone.land('2026-05-02', transactions('next', 2));
  chmodSync(path, mode);
  try {
    return await zone.failure();
  } finally {
    chmodSync(path, 0o755);
  }
}

whereBound('a file that may not be read is named, and its folder stays out of the table until it may', async () => {
  const zone = await Zone.published(it_, 'unreadable');
  zone.land('2026-05-02', transactions('locked', 2), 'locked.parquet');
  const failure = await failsWithout(zone, join(zone.raw, 'date=2026-05-02/locked.parquet'), 0);
  expect(failure.type).toBe('UnreadableFile');
  expect(failure.message).toContain('the source file date=2026-05-02/locked.parquet');
  expect(failure.message).toContain('this process may not read it (EACCES)');
  expect(await zone.publishesEverything()).toMatchObject({ totals: { published: 7 } });
});

whereBound('a partition that may not be listed fails the run: it is never taken for an empty one', async () => {
  const zone = await Zone.published(it_, 'unlisted');
  const folder = join(zone.raw, 'date=2026-05-02');
  zone.land('2026-05-02', transactions('locked', 2), 'locked.parquet');
  const failure = await failsWithout(zone, folder, 0o300);
  expect(failure.type).toBe('SourceError');
  expect(failure.message).toContain(
    `cannot list ${folder}: permission denied. Give the user that runs the worker access`,
  );
  expect(await zone.publishesEverything()).toMatchObject({ totals: { published: 7 } });
});

whereBound.each([
  [
    'staging',
    '_staging',
    /: resolveKeys: could not write .*: permission denied \(EACCES\)\. Give the user that runs the worker/,
  ],
  [
    'publishing',
    'snapshots',
    /: publish: the table at .* cannot be used: EACCES: permission denied, rename .*; give the user that runs Tidegate read and write access/,
  ],
  [
    'all',
    '.',
    /: publish: the table at .* cannot be used: EACCES: permission denied, access .*; give the user that runs Tidegate/,
  ],
])('no permission to write (%s): the cause is told, and nothing is lost', async (name, folder, says) => {
  const zone = await Zone.published(it_, `locked-${name}`);
  const failure = await failsWithout(zone, join(zone.curated, folder), 0o555);
  expect(failure.message).toMatch(says);
  expect(failure.message).toContain(join(zone.curated, folder));
  expect(await zone.publishesEverything()).toMatchObject({ commit: { version: 2 }, totals: { published: 5 } });
});
