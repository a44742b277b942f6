import { ensurePython } from '../../scripts/test-python';

/** Before any test: what the tests need and `npm ci` does not bring. */
export default async function globalSetup(): Promise<void> {
  await ensurePython();
}
