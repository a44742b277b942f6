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

/** Named by what is in it, so that another set of versions is another environment. */
function environmentOf({ cache, requirements }) {
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 16);
  return path.join(cache, `python-${digest}`);
}

/** Its interpreter. */
const interpreterOf = (place) => path.join(environmentOf(place), 'bin', 'python');

/** Makes the environment unless it is there. Several processes may call this at once. */
async function ensureEnvironment(place, hint) {
  const folder = environmentOf(place);
  const complete = path.join(folder, '.complete');
  if (existsSync(complete)) return;
  await mkdir(place.cache, { recursive: true });
  const unlock = await lock(`${folder}.lock`);
  try {
    if (existsSync(complete)) return;
    process.stderr.write(`Installing the Python packages of ${place.requirements} (once) …\n`);
    await rm(folder, { recursive: true, force: true });
    await run('python3', ['-m', 'venv', folder], `Is python3 with its venv module installed? ${hint}`);
    const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--only-binary', ':all:'];
    await run(interpreterOf(place), [...pip, '-r', place.requirements], `Is PyPI reachable? ${hint}`);
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

module.exports = { ensureEnvironment, interpreterOf };
