import fsp, { chmod, readdir, rm, stat } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openTable, type PublishInput } from '../../src/publish';
import { checkTable, readVersion } from './support/check-table';
import { contractFor, newTablePath, stage } from './support/fixture';
import { testUnless } from '../support/needs';

/** A table with one version, and a second run staged. */
async function prepare(): Promise<{ path: string; input: PublishInput }> {
  const path = await newTablePath();
  const contract = contractFor(path, KEEP_ONE);
  const table = openTable(contract);
  await table.claimFolder();
  const outcomes = [{ date: '2026-05-01' }, { date: '2026-05-02', quarantined: 1 }];
  await table.publish(await stage({ contract, base: await table.read(), requestId: 'old', outcomes }));
  const base = await table.read();
  const input = await stage({ contract, base, requestId: 'new', outcomes: [{ date: '2026-05-02' }] });
  return { path, input };
}
// Retention then works within each publish too.
const KEEP_ONE = { keep: { versions: 1, days: 0 } };
const OLD = { '2026-05-01': 'old', '2026-05-02': 'old' };
const NEW = { '2026-05-01': 'old', '2026-05-02': 'new' };

describe('a fault in retention', () => {
  it('does not fail the commit, and is told', async () => {
    const { path, input } = await prepare();
    const warnings: string[] = [];
    const table = openTable(contractFor(path, KEEP_ONE), { onWarning: (message) => warnings.push(message) });
    const real = fsp.rename;
    const spy = jest.spyOn(fsp, 'rename').mockImplementation(async (from, to) => {
      if (String(to).includes('.trash-')) throw Object.assign(new Error('EACCES: denied'), { code: 'EACCES' });
      return real(from, to);
    });
    const commit = await table.publish(input);
    spy.mockRestore();
    expect(commit.version).toBe(2);
    expect(warnings).toEqual([expect.stringMatching(/version 2 of .* is published; cleaning up after it failed/)]);
    expect(await readVersion((await table.pathOf({ version: 1 })).path)).toEqual(OLD);
  });
});

describe('hard links that cannot be had', () => {
  it.each(['EMLINK', 'EXDEV', 'EPERM'])('%s: files are copied instead', async (code) => {
    const { path, input } = await prepare();
    const spy = jest.spyOn(fsp, 'link').mockRejectedValue(Object.assign(new Error(code), { code }));
    const table = openTable(contractFor(path));
    await table.publish(input);
    spy.mockRestore();
    const { commits } = await checkTable(contractFor(path));
    expect(commits).toHaveLength(2);
    const [folder] = await readdir(join(path, 'current/curated'));
    const [file] = await readdir(join(path, 'current/curated', folder!));
    expect((await stat(join(path, 'current/curated', folder!, file!))).nlink).toBe(1);
  });
});

/** Mounts a file system of 256 KiB; null where the user may not. */
function mountSmallDisk(): string | null {
  const device = mkdtempSync(join(tmpdir(), 'tidegate-full-'));
  if (process.getuid?.() !== 0) return null;
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', device], { stdio: 'ignore' });
  return mount.status === 0 ? device : null;
}
const device = mountSmallDisk();
const onSmallDisk = testUnless(device === null ? 'no small file system can be mounted (it needs root)' : null);

describe('no space left on the device', () => {
  onSmallDisk('is a clear error; the old version stays; with space it succeeds', async () => {
    if (device === null) return;
    try {
      const contract = contractFor(join(device, 'table'));
      const table = openTable(contract);
      await table.claimFolder();
      const outcomes = [{ date: '2026-05-01' }, { date: '2026-05-02' }];
      await table.publish(await stage({ contract, base: await table.read(), requestId: 'old', outcomes }));
      const base = await table.read();
      const input = await stage({ contract, base, requestId: 'new', outcomes: [{ date: '2026-05-02' }] });
      await fsp.writeFile(join(device, 'ballast'), Buffer.alloc(1 << 20)).catch(() => {});

      await expect(table.publish(input)).rejects.toMatchObject({
        code: 'ENOSPC',
        message: expect.stringMatching(/^the table at .* no space left on device.*; no space is left.*tidegate vacuum/),
      });
      expect((await checkTable(contract)).commits.map((commit) => commit.requestId)).toEqual(['old']);
      expect(await readVersion((await table.pathOf()).path)).toEqual(OLD);

      await rm(join(device, 'ballast'));
      expect((await table.publish(input)).version).toBe(2);
      expect(await readVersion((await table.pathOf()).path)).toEqual(NEW);
    } finally {
      spawnSync('umount', [device]);
    }
  });
});

describe('no permission', () => {
  /** Calls a method of the table as a user who does not own it. */
  function asNobody(path: string, call: string): { stdout: string; stderr: string } {
    const program = `
      const { contractFor } = require(${JSON.stringify(join(__dirname, 'support/fixture.ts'))});
      const { openTable } = require(${JSON.stringify(join(__dirname, '../../src/publish'))});
      if (process.getuid() === 0) process.setuid(65534);
      const table = openTable(contractFor(${JSON.stringify(path)}));
      table.${call}.then(
        (value) => console.log(JSON.stringify(value)),
        (error) => console.log(JSON.stringify({ name: error.name, code: error.code, message: error.message })),
      );`;
    return spawnSync(process.execPath, ['-r', join(__dirname, 'support/register.js'), '-e', program], {
      encoding: 'utf8',
    });
  }

  it('to write: the error names the path and the remedy; readers read on', async () => {
    const { path, input } = await prepare();
    const before = await readVersion(join(path, 'current'));
    await chmod(join(path, '..'), 0o755);
    for (const name of ['', '_staging', 'snapshots', 'requests']) await chmod(join(path, name), 0o555);
    const { stdout } = asNobody(path, `publish(${JSON.stringify(input)})`);
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'TableIoError',
      code: 'EACCES',
      message: expect.stringMatching(/the table at .*EACCES: permission denied, mkdir '.*_staging.*give the user/),
    });
    expect(JSON.parse(asNobody(path, 'pathOf()').stdout).path).toMatch(/snapshots\/00000001$/);
    for (const name of ['', '_staging', 'snapshots', 'requests']) await chmod(join(path, name), 0o755);
    expect(await readVersion(join(path, 'current'))).toEqual(before);
    expect((await openTable(contractFor(path)).publish(input)).version).toBe(2);
  });

  it('to write, while a version is claimed and not shown: readers get the one that is shown', async () => {
    const { path, input } = await prepare();
    await chmod(join(path, '..'), 0o755);
    process.env['TIDEGATE_FAILPOINTS'] = 'publish.indexed=throw';
    await expect(openTable(contractFor(path)).publish(input)).rejects.toThrow('failpoint publish.indexed');
    delete process.env['TIDEGATE_FAILPOINTS'];
    for (const name of ['', 'snapshots', 'requests']) await chmod(join(path, name), 0o555);

    expect(JSON.parse(asNobody(path, 'pathOf()').stdout).path).toMatch(/snapshots\/00000001$/);
    for (const name of ['', 'snapshots', 'requests']) await chmod(join(path, name), 0o755);
    expect((await openTable(contractFor(path)).pathOf()).path).toMatch(/snapshots\/00000002$/);
  });

  it('to read: the error names the path', async () => {
    const { path } = await prepare();
    await chmod(join(path, '..'), 0o755);
    await chmod(path, 0o000);
    const { stdout } = asNobody(path, 'read()');
    await chmod(path, 0o755);
    expect(JSON.parse(stdout)).toMatchObject({
      code: 'EACCES',
      message: expect.stringContaining(`open '${path}/tidegate.json'`),
    });
  });
});
