import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What oracle.py prints. */
export interface Verdict {
  readonly engine: string;
  /** Files and rows of the raw zone. */
  readonly files: number;
  readonly rows: number;
  readonly comparisons: Readonly<Record<'curated' | 'quarantine' | 'counts' | 'original', Comparison>>;
  readonly superseded: number;
  /** Quarantined rows by gate. */
  readonly violations: Readonly<Record<string, number>>;
  readonly dollars: { readonly curated: string; readonly quarantine: string };
  readonly seconds: number;
}
export interface Comparison {
  readonly expected: number;
  readonly found: number;
  readonly missing: number;
  readonly surplus: number;
}

const WINDOWS = process.platform === 'win32';

/** `TIDEGATE_TEST_PYTHON`, which must have DuckDB and deltalake, or a Python in an environment of its own below `cache`; made on first use. */
export async function preparePython(sources: string, cache: string, say: (line: string) => void): Promise<string> {
  const given = process.env['TIDEGATE_TEST_PYTHON'];
  if (given) return given;
  const requirements = join(sources, 'requirements.txt');
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 8);
  const home = join(cache, `cdnow-python-${digest}`);
  const python = (root: string): string =>
    WINDOWS ? join(root, 'Scripts', 'python.exe') : join(root, 'bin', 'python');
  if (existsSync(home)) return python(home);
  say(`Installing ${readFileSync(requirements, 'utf8').trim().replace('\n', ' and ')} for the comparison, once …`);
  const scratch = `${home}.${process.pid}`;
  try {
    await run(WINDOWS ? 'python' : 'python3', ['-m', 'venv', scratch]);
    await run(python(scratch), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements]);
    renameSync(scratch, home);
  } catch (error) {
    rmSync(scratch, { recursive: true, force: true });
    if (existsSync(home)) return python(home);
    throw new Error(
      `DuckDB and deltalake could not be installed; the comparison needs Python 3 with venv and a package index: ${String(error)}`,
      { cause: error },
    );
  }
  return python(home);
}

/** Runs oracle.py; paths are absolute. */
export async function judge(
  python: string,
  sources: string,
  paths: { readonly raw: string; readonly version: string; readonly master: string; readonly counts: string },
): Promise<Verdict> {
  const script = join(sources, 'oracle.py');
  const { stdout } = await run(python, [script, paths.raw, paths.version, paths.master, paths.counts]);
  return JSON.parse(stdout) as Verdict;
}
