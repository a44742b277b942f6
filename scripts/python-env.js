'use strict';
/** Python environments with pinned packages, for the tests and the benchmark: made once, named by what is in them. */
const { spawn } = require('node:child_process');
const { createHash } = require('node:crypto');
const { existsSync, readFileSync } = require('node:fs');
const { mkdir, rm, stat, utimes, writeFile } = require('node:fs/promises');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const STALE_LOCK_MS = 30_000;
const TOUCH_MS = 5_000;

const PIP = ['-m', 'pip', 'install', '--disable-pip-version-check', '--only-binary', ':all:'];

function digestOf(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex').slice(0, 16);
}

/** Named by what is in it, so that another set of versions is another environment. */
const environmentOf = ({ cache, requirements }) => path.join(cache, `python-${digestOf(readFileSync(requirements))}`);

/** The environment's interpreter. */
const interpreterOf = (place) => path.join(environmentOf(place), 'bin', 'python');

/** Makes the environment unless it is there. Several processes may call this at once. */
async function ensureEnvironment(place, hint) {
  await ensure(environmentOf(place), place, async (folder) => {
    await run('python3', ['-m', 'venv', folder], `Is python3 with its venv module installed? ${hint}`);
    await run(interpreterOf(place), [...PIP, '-r', place.requirements], `Is PyPI reachable? ${hint}`);
  });
}

/** A folder of packages for an interpreter's `PYTHONPATH`. Native packages fit one interpreter. */
const packagesOf = ({ cache, requirements }, name, python) =>
  path.join(cache, `${name}-${digestOf(readFileSync(requirements), python)}`);

/** Makes that folder unless it is there. */
async function ensurePackages(place, name, python) {
  await ensure(packagesOf(place, name, python), place, (folder) =>
    run(python, [...PIP, '--target', folder, '-r', place.requirements], 'Is PyPI reachable?'),
  );
}

async function ensure(folder, { cache, requirements }, make) {
  const complete = path.join(folder, '.complete');
  if (existsSync(complete)) return;
  await mkdir(cache, { recursive: true });
  const unlock = await lock(`${folder}.lock`);
  try {
    if (existsSync(complete)) return;
    process.stderr.write(`Installing the Python packages of ${path.basename(requirements)} (once) …\n`);
    await rm(folder, { recursive: true, force: true });
    await make(folder);
    await writeFile(complete, '');
  } finally {
    await unlock();
  }
}

async function lock(folder) {
  for (;;) {
    try {
      await mkdir(folder);
      break;
    } catch {
      const held = await stat(folder).catch(() => null);
      if (held !== null && Date.now() - held.mtimeMs > STALE_LOCK_MS)
        await rm(folder, { recursive: true, force: true });
      else await sleep(200);
    }
  }
  const touch = setInterval(() => void utimes(folder, new Date(), new Date()).catch(() => {}), TOUCH_MS);
  return async () => {
    clearInterval(touch);
    await rm(folder, { recursive: true, force: true });
  };
}

async function run(command, args, hint) {
  await new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', process.stderr, process.stderr] });
    const fail = (why) => reject(new Error(`${command} ${args.join(' ')}: ${why}. ${hint}`));
    child.on('error', (error) => fail(error.message));
    child.on('exit', (code, signal) => (code === 0 ? resolve() : fail(`exit ${code ?? signal}`)));
  });
}

module.exports = { ensureEnvironment, ensurePackages, interpreterOf, packagesOf };
