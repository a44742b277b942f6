import { mkdtemp, readdir, readlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openTable } from '../../src/publish';
import { checkTable, readVersion } from './support/check-table';
import { contractFor, newTablePath, stage } from './support/fixture';
import { startPublisher } from './support/processes';

/** Where a publisher is killed, and which version `current` then shows. */
const KILLS = [
  ['publish.before-build', 1],
  ['publish.built', 1],
  ['publish.before-claim', 1],
  ['publish.claimed', 1],
  ['publish.indexed', 1],
  ['publish.shown', 2],
] as const;
const KEEP_ONE = { versions: 1, days: 0 };
const dates = ['2026-05-01', '2026-05-02'];

async function tableWithOneVersion(): Promise<string> {
  const path = await newTablePath();
  const contract = contractFor(path);
  const table = openTable(contract);
  await table.claimFolder();
  const outcomes = [...dates, '2026-04-01'].map((date) => ({ date }));
  await table.publish(await stage({ contract, base: await table.read(), requestId: 'old', outcomes }));
  return path;
}

describe.each(KILLS)('a publisher killed at %s', (failpoint, shown) => {
  it(`leaves version ${shown} to readers, and its request is committed once by whoever comes next`, async () => {
    const path = await tableWithOneVersion();
    const publisher = { path, name: 'new', count: 1, dates, keep: KEEP_ONE };
    const killed = await startPublisher(publisher, { TIDEGATE_FAILPOINTS: `${failpoint}=kill` });
    expect(killed).toMatchObject({ signal: 'SIGKILL', stdout: '' });
    expect(killed.stderr).toContain(`failpoint ${failpoint}`);

    expect(await readlink(join(path, 'current'))).toBe(`snapshots/0000000${shown}`);
    const seen = await readVersion(join(path, 'current'));
    const writer = shown === 1 ? 'old' : 'new/0';
    expect(seen).toEqual({ '2026-04-01': 'old', '2026-05-01': writer, '2026-05-02': writer });

    const next = await startPublisher(publisher);
    expect(next).toMatchObject({ code: 0, stdout: '{"version":2,"requestId":"new/0"}\n' });
    const { commits } = await checkTable(contractFor(path));
    expect(commits.map((commit) => commit.requestId)).toEqual(['old', 'new/0']);
  });
});

it('a publisher killed while retention removes a version is finished by the next', async () => {
  const path = await tableWithOneVersion();
  const publisher = { path, name: 'new', count: 1, dates, keep: KEEP_ONE };
  const killed = await startPublisher(publisher, { TIDEGATE_FAILPOINTS: 'retention.hidden=kill' });
  expect(killed.signal).toBe('SIGKILL');
  await checkTable(contractFor(path));
  await expect(openTable(contractFor(path)).pathOf({ version: 1 })).rejects.toThrow(
    'the data of version 1 was removed',
  );

  await startPublisher({ ...publisher, name: 'newer' });
  const report = await openTable(contractFor(path, { keep: KEEP_ONE })).vacuum({ dryRun: true, olderThanHours: 0 });
  expect(report.versions).toEqual([]);
});

it('a worker that is killed again and again still commits every request once', async () => {
  const path = await newTablePath();
  const markers = await mkdtemp(join(tmpdir(), 'tidegate-markers-'));
  const kills = KILLS.map(([name], index) => `${name}=kill@${join(markers, String(index))}`);
  const publisher = { path, name: 'r', count: 4, dates };
  let deaths = 0;
  for (;;) {
    const ended = await startPublisher(publisher, { TIDEGATE_FAILPOINTS: kills.join(',') });
    await checkTable(contractFor(path));
    if (ended.signal === null) {
      expect(ended).toMatchObject({ code: 0, stderr: '' });
      break;
    }
    deaths++;
  }
  expect(deaths).toBe(KILLS.length);
  const { commits } = await checkTable(contractFor(path));
  expect(commits.map((commit) => commit.requestId)).toEqual(['r/0', 'r/1', 'r/2', 'r/3']);
}, 120_000);

it('a publisher that slept while vacuum took its staging claims nothing, not even a part', async () => {
  const path = await tableWithOneVersion();
  const sleeper = startPublisher(
    { path, name: 'new', count: 1, dates },
    { TIDEGATE_FAILPOINTS: 'publish.before-claim=stall:1500' },
  );
  const table = openTable(contractFor(path));
  const now = new Date(Date.now() + 2 * 3_600_000);
  const trees = () => readdir(join(path, '_staging'), { recursive: true });
  while (!(await trees()).some((name) => name.endsWith('.swing'))) await sleep(5);
  await table.vacuum({ dryRun: false, olderThanHours: 0.5, now });

  const ended = await sleeper;
  expect(ended).toMatchObject({ code: 1, stdout: '' });
  expect(ended.stderr).toContain('ENOENT');
  const { commits } = await checkTable(contractFor(path));
  expect(commits.map((commit) => commit.requestId)).toEqual(['old']);
});
