'use strict';
/**
 * Compiles src/ and bundles the workflows into dist/. The new dist is made beside the old one and
 * takes its place whole, so that nobody ever runs half of it, nor a file whose source is gone.
 * With --if-stale it does nothing when dist was built from exactly these sources.
 */
const { execFileSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const dist = path.join(root, 'dist');
const stampFile = '.build-stamp';

function sourceFiles(folder) {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
    .toSorted();
}

/** Changes whenever anything that goes into dist does. */
function stampOfSources() {
  const hash = createHash('sha256');
  const settings = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];
  const files = [...settings.map((name) => path.join(root, name)), ...sourceFiles(__dirname)];
  for (const file of [...files, ...sourceFiles(path.join(root, 'src'))]) {
    hash.update(`${path.relative(root, file)}\0${createHash('sha256').update(fs.readFileSync(file)).digest('hex')}\n`);
  }
  return `${hash.digest('hex')}\n`;
}

function stampOfDist() {
  try {
    return fs.readFileSync(path.join(dist, stampFile), 'utf8');
  } catch {
    return null;
  }
}

async function build() {
  const stamp = stampOfSources();
  if (process.argv.includes('--if-stale') && stampOfDist() === stamp) return;

  const scratch = path.join(root, `.dist-new-${process.pid}`);
  try {
    const tsc = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
    execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', scratch], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    await bundleWorkflows(scratch);
    fs.chmodSync(path.join(scratch, 'cli', 'main.js'), 0o755);
    fs.writeFileSync(path.join(scratch, stampFile), stamp);
    swap(scratch);
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

/** Workers start three times faster with the workflows bundled beforehand. */
async function bundleWorkflows(folder) {
  const { DefaultLogger, bundleWorkflowCode } = require('@temporalio/worker');
  const { code } = await bundleWorkflowCode({
    workflowsPath: path.join(folder, 'workflows', 'index.js'),
    logger: new DefaultLogger('WARN'),
  });
  fs.writeFileSync(path.join(folder, 'workflow-bundle.js'), code);
}

/** Another build may swap in its own at the same moment; the last one stays. */
function swap(scratch) {
  const old = `${scratch}-old`;
  for (let attempt = 1; ; attempt++) {
    try {
      if (fs.existsSync(dist)) fs.renameSync(dist, old);
      fs.renameSync(scratch, dist);
      return;
    } catch (error) {
      const lostRace = ['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(error.code);
      if (!lostRace || attempt === 10) throw error;
    } finally {
      fs.rmSync(old, { recursive: true, force: true });
    }
  }
}

build().catch((error) => {
  // The compiler has said what is wrong itself.
  if (error.status === undefined) console.error(error);
  process.exitCode = 1;
});
