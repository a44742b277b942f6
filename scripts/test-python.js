'use strict';
/** The Python of the tests. `node scripts/test-python.js` makes it, if it is not there, as the tests themselves do before they start. */
const path = require('node:path');
const { ensureEnvironment, ensurePackages, interpreterOf, packagesOf } = require('./python-env');

const root = path.join(__dirname, '..');
const place = (file) => ({
  cache: path.join(root, 'node_modules', '.cache', 'tidegate'),
  requirements: path.join(root, 'test', 'support', file),
});
const TESTS = place('requirements.txt');
const DUCKDB_DELTA = place('requirements-duckdb-delta.txt');

const pythonPath = () => process.env.TIDEGATE_TEST_PYTHON ?? interpreterOf(TESTS);

const duckdbDeltaFolder = () => packagesOf(DUCKDB_DELTA, 'duckdb-delta', pythonPath());

async function ensurePython() {
  if (process.env.TIDEGATE_TEST_PYTHON === undefined) {
    const hint = `Or set TIDEGATE_TEST_PYTHON to an interpreter that has the packages of ${TESTS.requirements}.`;
    await ensureEnvironment(TESTS, hint);
  }
  await ensurePackages(DUCKDB_DELTA, 'duckdb-delta', pythonPath());
}

module.exports = { duckdbDeltaFolder, ensurePython, pythonPath };

if (require.main === module) {
  ensurePython().catch((error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
}
