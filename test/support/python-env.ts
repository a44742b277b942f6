import { join } from 'node:path';
import { ensureEnvironment, interpreterOf } from '../../scripts/python-env';

const PLACE = {
  cache: join(__dirname, '..', '..', 'node_modules', '.cache', 'tidegate'),
  requirements: join(__dirname, 'requirements.txt'),
};

/** The environment's interpreter: `TIDEGATE_TEST_PYTHON` (which must have the packages), or that of the environment made here. */
export const pythonPath = (): string => process.env.TIDEGATE_TEST_PYTHON ?? interpreterOf(PLACE);

/** Makes the environment unless it is there. Several processes may call this at once. */
export async function ensurePython(): Promise<void> {
  if (process.env.TIDEGATE_TEST_PYTHON !== undefined) return;
  const hint = `Or set TIDEGATE_TEST_PYTHON to an interpreter that has the packages of ${PLACE.requirements}.`;
  await ensureEnvironment(PLACE, hint);
}
