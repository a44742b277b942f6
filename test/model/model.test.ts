import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { histories } from './support/arbitrary-history';
import { installFaults } from './support/fs-faults';
import { SqlOracle } from './support/sql-oracle';
import { World, noTally } from './support/world';

const HISTORIES = Number(process.env['TIDEGATE_HISTORIES'] ?? 40);

let oracle: SqlOracle;
let uninstall: () => void;
let root: string;
beforeAll(() => {
  oracle = new SqlOracle();
  uninstall = installFaults();
  root = mkdtempSync(join(tmpdir(), 'tidegate-model-'));
});
afterAll(() => {
  oracle.close();
  uninstall();
  rmSync(root, { recursive: true, force: true });
});

test('whatever happens, the table is one full run over the files it was computed from', async () => {
  let worlds = 0;
  const tally = noTally();
  await fc.assert(
    fc.asyncProperty(histories(['partition']), async (history) => {
      const folder = join(root, `world-${worlds++}`);
      try {
        await oracle.forget();
        await World.replay(history, folder, oracle, tally);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }),
    { numRuns: HISTORIES },
  );
  process.stderr.write(`${worlds} histories: ${JSON.stringify(tally)}\n`);
}, 600_000);
