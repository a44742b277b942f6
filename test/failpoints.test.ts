import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failpoint, parseFailpoints } from '../src/failpoints';

const register = join(__dirname, 'publish/support/register.js');
const program = `
  const { failpoint } = require(${JSON.stringify(join(__dirname, '../src/failpoints.ts'))});
  failpoint('a.step').then(() => console.log('went on'), (error) => console.log(error.message));
`;
const run = (setting: string) =>
  spawnSync(process.execPath, ['-r', register, '-e', program], {
    encoding: 'utf8',
    env: { ...process.env, TIDEGATE_FAILPOINTS: setting },
  });

describe('failpoints', () => {
  afterEach(() => {
    delete process.env['TIDEGATE_FAILPOINTS'];
  });

  it('do nothing unless they are named', async () => {
    await failpoint('a.step');
    process.env['TIDEGATE_FAILPOINTS'] = 'another.step=throw';
    await failpoint('a.step');
  });

  it('throw, naming themselves', async () => {
    process.env['TIDEGATE_FAILPOINTS'] = 'x=stall:1, a.step=throw';
    await expect(failpoint('a.step')).rejects.toThrow('failpoint a.step');
  });

  it('stall, then go on', async () => {
    process.env['TIDEGATE_FAILPOINTS'] = 'a.step=stall:60';
    const from = performance.now();
    await failpoint('a.step');
    expect(performance.now() - from).toBeGreaterThanOrEqual(55);
  });

  it('kill the process with SIGKILL, after saying so', () => {
    const { signal, stderr, stdout } = run('a.step=kill');
    expect(signal).toBe('SIGKILL');
    expect(stderr).toContain('failpoint a.step: killing process');
    expect(stdout).toBe('');
  });

  it('with a marker file fire once over all restarts', () => {
    const marker = join(mkdtempSync(join(tmpdir(), 'tidegate-failpoint-')), 'fired');
    expect(run(`a.step=kill@${marker}`).signal).toBe('SIGKILL');
    expect(existsSync(marker)).toBe(true);
    expect(run(`a.step=kill@${marker}`).stdout).toBe('went on\n');
  });

  it('named in a file are read again each time', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'tidegate-failpoint-')), 'failpoints');
    process.env['TIDEGATE_FAILPOINTS'] = `@${file}`;
    await failpoint('a.step');
    writeFileSync(file, 'a.step=throw\n');
    await expect(failpoint('a.step')).rejects.toThrow('failpoint a.step');
    rmSync(file);
    await failpoint('a.step');
  });

  it.each(['a.step', 'a.step=die', 'a.step=stall', 'a.step=stall:soon', '=kill', 'a.step=kill@'])(
    'refuse "%s", which would otherwise silently not fire',
    (setting) => {
      expect(() => parseFailpoints(setting)).toThrow(`cannot read "${setting}"`);
    },
  );
});
