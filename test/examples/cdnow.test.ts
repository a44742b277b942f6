import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pythonPath } from '../../scripts/test-python';

const ROOT = join(__dirname, '..', '..');
const MINUTES = 60_000;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-cdnow-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the command a user runs, and returns what it printed and how it ended. */
async function example(format: string): Promise<{ code: number | null; lines: string[]; errors: string }> {
  const args = ['run', '--silent', 'example:cdnow', '--', '--format', format, '--dir', join(folder, format)];
  const child = spawn('npm', args, {
    cwd: ROOT,
    env: { ...process.env, TIDEGATE_TEST_PYTHON: pythonPath() },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, lines: output.split('\n').map(withoutSeconds), errors };
}

/** Times differ; nothing else may. */
function withoutSeconds(line: string): string {
  return line
    .replace(/ +(?:seconds|\d[\d,]*\.\d)$/, '')
    .replace(/ {2}─{8}$/, '')
    .replace(/(\(DuckDB [\d.]+), [\d.]+ s\)/, '$1)')
    .trimEnd();
}

test.each(['directory', 'delta'])(
  "eighteen months of CDNOW in format %s, a run a month: the table equals one query over everything, and the README's numbers are true",
  async (format) => {
    const { code, lines, errors } = await example(format);
    expect({ code, errors: code === 0 ? '' : errors }).toEqual({ code: 0, errors: '' });
    const log = join(folder, format, 'curated', 'curated', '_delta_log');
    expect(existsSync(log)).toBe(format === 'delta');
    expect(lines.findLast((line) => line !== '')).toBe(
      'Equal: 18 runs published exactly what one query over everything gives.',
    );

    const readme = readFileSync(join(ROOT, 'examples', 'cdnow', 'README.md'), 'utf8');
    const quoted = /```text\n(?<lines>.*?)\n```/s.exec(readme)!.groups!['lines']!.split('\n');
    const from = lines.indexOf(quoted[0]!);
    expect(lines.slice(from, from + quoted.length)).toEqual(quoted);
    expect(quoted).toContain('  equal      69,659 lines of the original file, each published or quarantined once');
  },
  40 * MINUTES,
);
