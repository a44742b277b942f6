import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { python } from '../support/python';
import { tidegate } from './support/tidegate';

/** Both Delta tables by another reader; of the curated one, rows and distinct transactions. */
const readByPython = (table: string): Promise<unknown> =>
  python(
    `
import polars as pl
curated = pl.read_delta(input + '/curated')
output = {'curated': curated.height, 'transactions': curated['transaction_id'].n_unique(),
          'quarantine': pl.read_delta(input + '/quarantine').height}
`,
    table,
  );

test('the demo tells its five steps on real parts, and ends with the table right', async () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'tidegate-demo-test-'));
  try {
    const { code, stdout, stderr } = await tidegate(['demo', '--dir', dir]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const title of [
      '1. A quiet week',
      '2. New days',
      '3. A late record',
      '4. A worker is killed',
      '5. Where things lie',
    ]) {
      expect(stdout).toContain(`── ${title}`);
    }
    expect(stdout).toMatch(/│ 2026-05-10 +│ yes +│ new /);
    expect(stdout).toMatch(/│ 2026-05-01 +│ yes +│ coupled \(1 key\) /);
    expect(stdout).toMatch(/rejected +2 /);
    expect(stdout).toContain('partition 2026-05-02 was taken as "late"');
    expect(stdout).toMatch(/failpoint publish\.claimed: killing process \d+/);
    expect(stdout).toContain('Claimed: snapshots/00000004. Shown: current still leads to snapshots/00000003');
    expect(stdout).toContain('nothing twice and nothing missing');
    expect(readlinkSync(path.join(dir, 'curated/current'))).toBe('snapshots/00000004');
    const { stdout: report } = await tidegate([
      'report',
      path.join(dir, 'pipelines/transactions.yaml'),
      '--version',
      '2',
      '--json',
    ]);
    expect(JSON.parse(report)).toMatchObject({
      totals: {
        quarantined: 2,
        violations: { primaryKey: 0, notNull_user_id: 1, inRange_amount: 1, unique_transaction_receipt: 0 },
      },
    });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}, 120_000);

test('told on a Delta table, the worker dies after the commit and before what follows, and the retry commits nothing twice', async () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'tidegate-demo-test-'));
  try {
    const { code, stdout, stderr } = await tidegate(['demo', '--format', 'delta', '--dir', dir]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/failpoint publish\.claimed: killing process \d+/);
    expect(stdout).toMatch(
      /Committed: curated\/_delta_log\/0{19}3\.json, .*\. Undone: the quarantine still ends with 0{19}2\.json\./,
    );
    expect(stdout).toContain('nothing twice and nothing missing');
    const contract = path.join(dir, 'pipelines/transactions.yaml');
    const table = path.join(dir, 'curated');
    for (const kind of ['curated', 'quarantine']) {
      expect(stdout).toContain(`${kind.padEnd(13)}${path.join(table, kind)}\n`);
      expect(readdirSync(path.join(table, kind, '_delta_log')).toSorted()).toEqual(
        [0, 1, 2, 3].map((version) => `${String(version).padStart(20, '0')}.json`),
      );
    }
    const { stdout: place } = await tidegate(['path', contract, '--json']);
    expect(JSON.parse(place)).toMatchObject({ version: 4, deltaVersions: { curated: 3, quarantine: 3 } });
    const rows = Number(/The table, read back: ([\d,]+) rows/.exec(stdout)?.[1]?.replace(',', ''));
    expect(await readByPython(table)).toEqual({ curated: rows, transactions: rows, quarantine: 2 });
    const verified = await tidegate(['verify', contract]);
    expect(verified).toMatchObject({ code: 0 });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}, 120_000);
