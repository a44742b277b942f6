import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const REQUIREMENTS = join(__dirname, 'requirements.txt');
const DUCKDB_DELTA = join(__dirname, 'requirements-duckdb-delta.txt');
const CACHE = join(__dirname, '..', '..', 'node_modules', '.cache', 'tidegate');
const STALE_LOCK_MS = 30_000;
const TOUCH_MS = 5_000;
const PIP = ['-m', 'pip', 'install', '--disable-pip-version-check', '--only-binary', ':all:'];

/** The environment's interpreter: `TIDEGATE_TEST_PYTHON` (which must have the packages), or that of the environment made here. */
export function pythonPath(): string {
  return process.env.TIDEGATE_TEST_PYTHON ?? join(environment(), 'bin', 'python');
}

/** A folder for `PYTHONPATH`: with it the interpreter has a DuckDB that can read Delta, and all else as without. */
export function duckdbDeltaFolder(): string {
  // Native packages fit one interpreter.
  return join(CACHE, `duckdb-delta-${digestOf(readFileSync(DUCKDB_DELTA), pythonPath())}`);
}

/** Named by what is in it, so that another set of versions is another environment. */
const environment = (): string => join(CACHE, `python-${digestOf(readFileSync(REQUIREMENTS))}`);

function digestOf(...parts: (Buffer | string)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex').slice(0, 16);
}

/** Makes the environment and the folder unless they are there. Several processes may call this at once. */
export async function ensurePython(): Promise<void> {
  if (process.env.TIDEGATE_TEST_PYTHON === undefined) {
    await ensure(environment(), 'Installing Python packages for the tests (once) …', async (folder) => {
      await run('python3', ['-m', 'venv', folder], `Is python3 with its venv module installed? ${OR_SET}`);
      await run(pythonPath(), [...PIP, '-r', REQUIREMENTS], `Is PyPI reachable? ${OR_SET}`);
    });
  }
  await ensure(duckdbDeltaFolder(), "Installing DuckDB's Delta reader for the tests (once) …", (folder) =>
    run(pythonPath(), [...PIP, '--target', folder, '-r', DUCKDB_DELTA], 'Is PyPI reachable?'),
  );
}

const OR_SET = `Or set TIDEGATE_TEST_PYTHON to an interpreter that has the packages of ${REQUIREMENTS}.`;

async function ensure(folder: string, what: string, make: (folder: string) => Promise<void>): Promise<void> {
  const complete = join(folder, '.complete');
  if (existsSync(complete)) return;
  await mkdir(CACHE, { recursive: true });
  const unlock = await lock(`${folder}.lock`);
  try {
    if (existsSync(complete)) return;
    process.stderr.write(`${what}\n`);
    await rm(folder, { recursive: true, force: true });
    await make(folder);
    await writeFile(complete, '');
  } finally {
    await unlock();
  }
}

async function lock(path: string): Promise<() => Promise<void>> {
  for (;;) {
    try {
      await mkdir(path);
      break;
    } catch {
      const held = await stat(path).catch(() => null);
      if (held !== null && Date.now() - held.mtimeMs > STALE_LOCK_MS) await rm(path, { recursive: true, force: true });
      else await sleep(200);
    }
  }
  const touch = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), TOUCH_MS);
  return async () => {
    clearInterval(touch);
    await rm(path, { recursive: true, force: true });
  };
}

async function run(command: string, args: readonly string[], hint: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', process.stderr, process.stderr] });
    const fail = (why: string): void => reject(new Error(`${command} ${args.join(' ')}: ${why}. ${hint}`));
    child.on('error', (error) => fail(error.message));
    child.on('exit', (code, signal) => (code === 0 ? resolve() : fail(`exit ${code ?? signal}`)));
  });
}
