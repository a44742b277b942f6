import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tidegate } from '../cli/support/tidegate';
import { Zone } from '../support/bad-zone';
import { Installation } from '../support/installation';
import { transactions } from '../support/transactions';
import type { WorkerProcess } from '../support/worker-process';

/** The server going away and coming back, several workers, several commands at once. */
let it_: Installation;

beforeAll(async () => {
  it_ = await Installation.create({}, { onDisk: true });
}, 180_000);
afterAll(async () => {
  await it_?.dispose();
});

test.each([
  ['at once', 'discoverPartitions.before', 0],
  ['after a while', 'transformAndGate.before', 8_000],
])(
  'a server that dies while a run is under way, and comes back %s: the run is finished, once',
  async (name, point, ms) => {
    const pipeline = `outage-${name.replaceAll(' ', '-')}`;
    const calm = await it_.worker();
    const zone = await Zone.published(it_, pipeline);
    await calm.stop();
    zone.land('2026-05-02', transactions('next', 2));
    const before = zone.look();
    const marker = join(it_.folder, `marker-${pipeline}`);
    const worker = await it_.worker({ TIDEGATE_FAILPOINTS: `${point}=stall:4000@${marker}` });
    const following = tidegate(['run', pipeline, '--json'], { env: it_.env });
    while (!existsSync(marker)) await sleep(50);
    await it_.server.kill();
    await sleep(ms);
    expect(zone.look()).toEqual(before);
    if (ms > 0) {
      const late = await tidegate(['run', pipeline], { env: it_.env });
      expect(late.code).toBe(1);
      expect(late.stderr).toContain(`no Temporal server answers at ${it_.server.address}`);
    }

    await it_.restartServer();
    // The command that follows the run waits as the run does.
    const { code, stdout, stderr } = await following;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ commit: { version: 2 }, totals: { published: 5 } });
    expect(zone.look().versions).toEqual(['00000001', '00000002']);
    // The same process: nobody had to start the worker again.
    expect(worker.alive).toBe(true);
    expect(await zone.publishesEverything()).toMatchObject({ commit: { version: 3 } });
    await worker.stop();
  },
);

describe('two workers', () => {
  let workers: WorkerProcess[];
  beforeAll(async () => {
    workers = await Promise.all([it_.worker(), it_.worker()]);
  }, 180_000);

  test('share the runs of several pipelines, and each table gets every commit once', async () => {
    const zones = await Promise.all(['left', 'right'].map((name) => Zone.published(it_, name)));
    for (const day of ['02', '03']) {
      await Promise.all(
        zones.map(async (zone) => {
          zone.land(`2026-05-${day}`, transactions(day, 2));
          expect(await zone.run()).toMatchObject({ status: 'committed', watermark: { after: `2026-05-${day}` } });
        }),
      );
    }
    for (const zone of zones) {
      await zone.publishesEverything();
      expect(zone.look().versions).toHaveLength(4);
    }
    expect(workers.map((worker) => worker.alive)).toEqual([true, true]);
  });

  test('five run commands and a backfill at once: all succeed, one commit a run, and the table is right', async () => {
    const zone = await Zone.published(it_, 'crowd');
    zone.land('2026-05-02', transactions('next', 2));
    const env = it_.env;
    const [backfill, ...runs] = await Promise.all([
      tidegate(['backfill', 'crowd', '--from', '2026-05-01', '--to', '2026-05-01', '--json'], { env }),
      ...Array.from({ length: 5 }, () => tidegate(['run', 'crowd', '--json'], { env })),
    ]);
    expect([backfill, ...runs].map(({ code, stderr }) => ({ code, stderr }))).toEqual(
      Array.from({ length: 6 }, () => ({ code: 0, stderr: '' })),
    );
    const documents = runs.map(
      ({ stdout }) => JSON.parse(stdout) as { commit: { version: number }; watermark: object },
    );
    for (const document of documents) expect(document.watermark).toMatchObject({ after: '2026-05-02' });

    const commits = (await (await it_.table('crowd')).history()).toReversed();
    expect(commits.map(({ version }) => version)).toEqual(commits.map((_, index) => index + 1));
    expect(new Set(commits.map(({ requestId }) => requestId)).size).toBe(commits.length);
    expect(commits.filter(({ scope }) => scope.kind === 'backfill')).toHaveLength(1);
    // Those that waited together were served by one run; each was told a version that holds its data.
    expect(commits.length).toBeLessThanOrEqual(2 + documents.length);
    for (const { commit } of documents) expect(commits[commit.version - 1]!.watermark.after).toBe('2026-05-02');
    await zone.publishesEverything();
  });
});
