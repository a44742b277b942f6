import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const REQUIREMENTS = join(__dirname, 'requirements.txt');
const CACHE = join(__dirname, '..', '..', 'node_modules', '.cache', 'tidegate');
const STALE_LOCK_MS = 30_000;
const TOUCH_MS = 5_000;

/** The environment's interpreter: `TIDEGATE_TEST_PYTHON` (which must have the packages), or that of the environment made here. */
export function pythonPath(): string {
  return process.env.TIDEGATE_TEST_PYTHON ?? join(environment(), 'bin', 'python');
}

/** Named by what is in it, so that another set of versions is another environment. */
function environment(): string {
  const digest = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 16);
  return join(CACHE, `python-${digest}`);
}

/** Makes the environment unless it is there. Several processes may call this at once. */
export async function ensurePython(): Promise<void> {
  const complete = join(environment(), '.complete');
  if (process.env.TIDEGATE_TEST_PYTHON !== undefined || existsSync(complete)) return;
  await mkdir(CACHE, { recursive: true });
  const unlock = await lock(`${environment()}.lock`);
  try {
    if (existsSync(complete)) return;
    process.stderr.write('Installing Python packages for the tests (once) …\n');
    await rm(environment(), { recursive: true, force: true });
    await run('python3', ['-m', 'venv', environment()], 'Is python3 with its venv module installed?');
    const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--only-binary', ':all:', '-r', REQUIREMENTS];
    await run(pythonPath(), pip, 'Is PyPI reachable?');
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
    const fail = (why: string): void =>
      reject(
        new Error(
          `${command} ${args.join(' ')}: ${why}. ${hint} ` +
            `Or set TIDEGATE_TEST_PYTHON to an interpreter that has the packages of ${REQUIREMENTS}.`,
        ),
      );
    child.on('error', (error) => fail(error.message));
    child.on('exit', (code, signal) => (code === 0 ? resolve() : fail(`exit ${code ?? signal}`)));
  });
}
