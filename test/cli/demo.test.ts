import { mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { tidegate } from './support/tidegate';

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
    expect(stdout).toMatch(/│ 2026-05-10 │ yes +│ new /);
    expect(stdout).toMatch(/rejected +2 /);
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
