import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { acquireFileLock } from '../../src/temporal/file-lock';

let dir: string;
let file: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'tidegate-lock-'));
  file = path.join(dir, 'deep', 'lock');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

test('the second waits until the first releases', async () => {
  const release = await acquireFileLock(file);
  let taken = false;
  const second = acquireFileLock(file).then((releaseSecond) => {
    taken = true;
    return releaseSecond;
  });
  await sleep(600);
  expect(taken).toBe(false);
  await release();
  await (
    await second
  )();
  await expect(readFile(file)).rejects.toThrow('ENOENT');
});

test('a lock that a dead process left is taken over', async () => {
  await (
    await acquireFileLock(file)
  )();
  await writeFile(file, 'process 1');
  const longAgo = new Date(Date.now() - 60_000);
  await utimes(file, longAgo, longAgo);
  const release = await acquireFileLock(file);
  expect(await readFile(file, 'utf8')).toBe(`process ${process.pid}`);
  await release();
});

test('waiting ends when it is aborted', async () => {
  const release = await acquireFileLock(file);
  await expect(acquireFileLock(file, AbortSignal.timeout(300))).rejects.toThrow(/timeout/);
  await release();
});
