import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { runWorkflowId } from '../../src/workflows/messages';
import { SmallDisk, noSmallDisk } from '../support/bad-disk';
import { Zone } from '../support/bad-zone';
import { Installation } from '../support/installation';
import { testUnless } from '../support/needs';
import { transactions } from '../support/transactions';
import type { WorkerProcess } from '../support/worker-process';

/** A disk that is really full, while a run stages and while it publishes. */
const onSmallDisk = testUnless(noSmallDisk());

let it_: Installation;
let worker: WorkerProcess;
const disks: SmallDisk[] = [];

beforeAll(async () => {
  it_ = await Installation.create();
}, 180_000);
afterEach(async () => {
  await worker?.kill();
});
afterAll(async () => {
  for (const disk of disks) disk.unmount();
  await it_?.dispose();
});

jest.setTimeout(150_000);

/** A published table on a small disk of its own, and a day in the raw zone that takes some 600 KB to publish. */
async function zoneOnSmallDisk(pipeline: string): Promise<{ zone: Zone; disk: SmallDisk }> {
  const zone = new Zone(it_, pipeline);
  const disk = SmallDisk.mount(zone.curated, 4096);
  disks.push(disk);
  await zone.publishFirst();
  // Text that does not compress.
  const noise = () => Array.from({ length: 4 }, () => Math.random().toString(36).slice(2)).join('');
  const rows = transactions('day', 8000).map((row) => ({ ...row, user_id: noise(), transaction_receipt: noise() }));
  zone.land('2026-05-02', rows);
  return { zone, disk };
}

onSmallDisk(
  'no space while staging: the run fails with the cause, and publishes everything once there is space',
  async () => {
    worker = await it_.worker({ TIDEGATE_ACTIVITY_ATTEMPTS: '2' });
    const { zone, disk } = await zoneOnSmallDisk('staging');
    disk.fill(200);
    const failure = await zone.failure();
    expect(failure.message).toMatch(
      /^the run of staging failed: (resolveKeys|transformAndGate): could not write .*: no space left on the device \(ENOSPC\)\. Free some space/,
    );
    expect(failure.message).toContain(join(zone.curated, '_staging'));
    // What was half written does not go on filling the disk.
    expect(
      readdirSync(join(zone.curated, '_staging'), { recursive: true }).filter((path) =>
        String(path).endsWith('.parquet'),
      ),
    ).toEqual([]);
    disk.free();
    expect(await zone.publishesEverything()).toMatchObject({ commit: { version: 2 }, totals: { published: 8003 } });
  },
);

onSmallDisk('no space at all: the first thing a run writes says so', async () => {
  worker = await it_.worker({ TIDEGATE_ACTIVITY_ATTEMPTS: '2' });
  const { zone, disk } = await zoneOnSmallDisk('full');
  disk.fill(0);
  const failure = await zone.failure();
  expect(failure.message).toContain('no space left on the device. Free some space');
  disk.free();
  await zone.publishesEverything();
});

onSmallDisk(
  'no space while publishing: the run fails, no number is lost, and the next run publishes everything',
  async () => {
    const quick = await it_.worker({ TIDEGATE_ACTIVITY_ATTEMPTS: '2' });
    const { zone, disk } = await zoneOnSmallDisk('publishing');
    await quick.stop();
    const marker = join(it_.folder, 'about-to-publish');
    worker = await it_.worker({
      TIDEGATE_ACTIVITY_ATTEMPTS: '2',
      TIDEGATE_FAILPOINTS: `publish.before-build=stall:3000@${marker}`,
    });
    const failing = zone.failure();
    await until(() => existsSync(marker));
    disk.fill(0);
    const failure = await failing;
    expect(failure.message).toContain(
      `the run of publishing failed: publish: the table at ${zone.curated} cannot be used: `,
    );
    expect(failure.message).toContain('no space is left on the device; free some (`tidegate vacuum` shows');
    disk.free();
    expect(await zone.publishesEverything()).toMatchObject({ commit: { version: 2 }, totals: { published: 8003 } });
  },
);

onSmallDisk('a run that is still trying succeeds by itself when space returns', async () => {
  worker = await it_.worker();
  const { zone, disk } = await zoneOnSmallDisk('retrying');
  const before = zone.look();
  disk.fill(200);
  const handle = await it_.start('incrementalRun', { pipeline: 'retrying' });
  const run = runWorkflowId('retrying', `${handle.workflowId}/${handle.firstExecutionRunId}`);
  await until(async () => {
    const { raw } = await it_.client.workflow.getHandle(run).describe();
    return raw.pendingActivities?.some(({ lastFailure }) => /no space left/.test(lastFailure?.message ?? '')) === true;
  });
  expect(zone.look()).toEqual(before);
  disk.free();
  expect(await handle.result()).toMatchObject({ status: 'committed', commit: { version: 2 } });
  expect(await zone.publishesEverything()).toMatchObject({ commit: { version: 3 } });
});

/** Waits for something to become so; an answer that cannot be had yet counts as no. */
async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await Promise.resolve(isSo()).catch(() => false))) {
    if (Date.now() > deadline) throw new Error('waited for a minute');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
