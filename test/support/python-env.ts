import { join } from 'node:path';
import { ensureEnvironment, ensurePackages, interpreterOf, packagesOf } from '../../scripts/python-env';

const cache = join(__dirname, '..', '..', 'node_modules', '.cache', 'tidegate');
const TESTS = { cache, requirements: join(__dirname, 'requirements.txt') };
const DUCKDB_DELTA = { cache, requirements: join(__dirname, 'requirements-duckdb-delta.txt') };

/** The environment's interpreter: `TIDEGATE_TEST_PYTHON` (which must have the packages), or that of the environment made here. */
export const pythonPath = (): string => process.env.TIDEGATE_TEST_PYTHON ?? interpreterOf(TESTS);

/** A folder for `PYTHONPATH`: with it the interpreter has a DuckDB that can read Delta, and all else as without. */
export const duckdbDeltaFolder = (): string => packagesOf(DUCKDB_DELTA, 'duckdb-delta', pythonPath());

/** Makes the environment and the folder unless they are there. Several processes may call this at once. */
export async function ensurePython(): Promise<void> {
  if (process.env.TIDEGATE_TEST_PYTHON === undefined) {
    const hint = `Or set TIDEGATE_TEST_PYTHON to an interpreter that has the packages of ${TESTS.requirements}.`;
    await ensureEnvironment(TESTS, hint);
  }
  await ensurePackages(DUCKDB_DELTA, 'duckdb-delta', pythonPath());
}
