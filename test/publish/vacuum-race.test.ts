import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { VoidPlan } from '../../src/errors';
import { type Commit, openTable, runOf } from '../../src/publish';
import { readVersion } from './support/check-table';
import { contractFor, newTablePath, stage } from './support/fixture';

const DATES = ['2026-05-01', '2026-05-02', '2026-05-03'];
const KEEP = { versions: 3, days: 0 };
const PUBLISHES = 12;
const LONG_AGO = new Date(Date.now() - 3 * 3_600_000);
const random = (below: number): number => Math.floor(Math.random() * below);

/** A run whose staged files were written hours ago, and that shows a sign of life as running activities do. */
async function publishSlowly(path: string, name: string, going: () => boolean): Promise<void> {
  const contract = contractFor(path, { keep: KEEP });
  const table = openTable(contract);
  for (let index = 0; index < PUBLISHES; index++) {
    const requestId = `${name}/${index}`;
    const runs = join(path, '_runs', runOf(requestId));
    await mkdir(runs, { recursive: true });
    await writeFile(join(runs, 'alive'), '');
    while (going()) {
      const base = await table.read();
      const input = await stage({ contract, base, requestId, outcomes: DATES.map((date) => ({ date })) });
      const staging = join(path, '_staging', input.run);
      for (const entry of await readdir(staging, { recursive: true }))
        await utimes(join(staging, entry), LONG_AGO, LONG_AGO);
      await sleep(random(20));
      try {
        await table.publish(input);
        break;
      } catch (error) {
        // That somebody else published is part of the race; that a file is gone would be vacuum's doing.
        if (!(error instanceof VoidPlan) || !error.reason.startsWith('it was made on version')) throw error;
      }
    }
  }
}

/** Brings the version before the newest back, each time that some runs were published, so that they too get on. */
async function rollBackAgain(path: string, going: () => boolean): Promise<number> {
  const table = openTable(contractFor(path, { keep: KEEP }));
  for (let done = 0, last = 0; ;) {
    if (!going()) return done;
    await sleep(random(20));
    const { version } = await table.read();
    if (version < last + 4) continue;
    const requestId = `back/${done}`;
    try {
      last = (await table.rollback({ requestId, run: runOf(requestId), to: version - 1 })).version;
      done++;
    } catch (error) {
      if (!(error instanceof VoidPlan)) throw error;
    }
  }
}

async function vacuumAgain(path: string, going: () => boolean): Promise<number> {
  const table = openTable(contractFor(path, { keep: KEEP }));
  for (let done = 0; ; done++) {
    if (!going()) return done;
    await table.vacuum({ dryRun: false, olderThanHours: 0 });
    await sleep(random(5));
  }
}

/** The request whose rows a version holds: every run writes all dates anew. */
const authorOf = (commits: ReadonlyMap<number, Commit>, version: number): string => {
  const commit = commits.get(version)!;
  return commit.scope.kind === 'rollback' ? authorOf(commits, commit.scope.to) : commit.requestId;
};

/** Reads versions that are retained, the oldest of them most of all. */
async function readRetained(path: string, going: () => boolean): Promise<number> {
  const table = openTable(contractFor(path, { keep: KEEP }));
  const commits = new Map<number, Commit>();
  for (let reads = 0; ;) {
    if (!going()) return reads;
    const { version: newest } = await table.read();
    if (newest === 0) continue;
    for (const commit of await table.history()) commits.set(commit.version, commit);
    const version = Math.max(1, newest - random(KEEP.versions));
    const read = await table
      .pathOf({ version })
      .then((place) => readVersion(place.path))
      .catch((error: unknown) => error);
    const retained = version > (await table.read()).version - KEEP.versions;
    // Others published meanwhile, so that it might be gone.
    if (!retained) continue;
    const author = authorOf(commits, version);
    expect(read).toEqual(Object.fromEntries(DATES.map((date) => [date, author])));
    reads++;
  }
}

it('vacuum at full speed takes no file of a run in progress, of a rollback or of a retained version', async () => {
  const path = await newTablePath();
  await openTable(contractFor(path)).claimFolder();
  let busy = true;
  const going = () => busy;
  const stop = (): void => void (busy = false);
  const deadline = setTimeout(stop, 90_000);
  const publishing = Promise.all(['a', 'b'].map((name) => publishSlowly(path, name, going))).finally(stop);
  const [, rollbacks, vacuums, ...reads] = await Promise.all([
    publishing,
    rollBackAgain(path, going),
    vacuumAgain(path, going),
    readRetained(path, going),
    readRetained(path, going),
  ]).finally(stop);
  clearTimeout(deadline);
  const commits = await openTable(contractFor(path)).history();
  expect(commits).toHaveLength(2 * PUBLISHES + rollbacks);
  console.log(
    `${vacuums} vacuums during ${2 * PUBLISHES} runs and ${rollbacks} rollbacks; ${reads[0] + reads[1]} reads of retained versions`,
  );
  expect(vacuums).toBeGreaterThan(20);
  expect(rollbacks).toBeGreaterThan(0);
  expect(reads[0] + reads[1]).toBeGreaterThan(20);

  // It took what it may: nothing is left but the retained versions and what shows a sign of life.
  const table = openTable(contractFor(path, { keep: KEEP }));
  await table.vacuum({ dryRun: false, olderThanHours: 0 });
  await expect(table.pathOf({ version: commits.length - KEEP.versions })).rejects.toThrow('was removed');
  const versions = (await table.history()).map(({ version }) => version);
  expect(versions).toEqual(Array.from({ length: commits.length }, (_, index) => commits.length - index));
}, 120_000);
