import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { RunSummary } from '../../src/workflows/messages';
import { Installation } from '../support/installation';
import { python } from '../support/python';
import { pythonPath } from '../support/python-env';
import { contractYaml, transaction, transactions } from '../support/transactions';

jest.setTimeout(240_000);

let before: Installation;
let after: Installation;
afterEach(async () => {
  await before?.dispose();
  await after?.dispose();
});

async function install(format: string): Promise<Installation> {
  const it_ = await Installation.create();
  const yaml = contractYaml({ scope: 'partition', lookback: 1 }).replace('format: directory', `format: ${format}`);
  writeFileSync(
    join(it_.pipelines, 'transactions.yaml'),
    format === 'delta' ? yaml.replace('timestamp[ms]', 'timestamp[us]') : yaml,
  );
  await it_.worker();
  return it_;
}

const run = async (it_: Installation, requestId: string): Promise<RunSummary> =>
  (await it_.start('incrementalRun', { requestId })).result();

/** The newest version's ids, by another reader. */
async function ids(it_: Installation): Promise<string[]> {
  const { curated, deltaVersions } = await (await it_.table()).pathOf();
  return python(
    `
import polars as pl
table = pl.scan_delta(input['curated']) if input['delta'] else pl.scan_parquet(input['curated'] + '/**/*.parquet')
output = sorted(table.select('transaction_id').collect().to_series().to_list())
`,
    { curated, delta: deltaVersions !== undefined },
  );
}

test.each(['directory', 'delta'])(
  'from a copy of a %s table alone, a new server and a new worker go on exactly',
  async (format) => {
    before = await install(format);
    before.land('2026-05-01', transactions('a', 2));
    await run(before, 'first');
    before.land('2026-05-02', [...transactions('b', 2), transaction('bad', { user_id: null })]);
    const second = await run(before, 'second');
    if (format === 'delta') checkpoint(before.curated);

    // Another machine: the contract, the raw zone, and a copy of the table.
    after = await install(format);
    cpSync(before.raw, after.raw, { recursive: true, preserveTimestamps: true });
    cpSync(before.curated, after.curated, { recursive: true, verbatimSymlinks: true });
    await before.dispose();

    // A request that was committed there is committed.
    expect(await run(after, 'second')).toMatchObject({
      status: 'committed',
      commit: { version: 2 },
      totals: second.totals,
    });
    expect(await (await after.table()).history()).toHaveLength(2);
    // New data is taken, and so is late data in the window; what was consumed is not new.
    after.land('2026-05-01', transactions('late', 1), 'late.parquet');
    after.land('2026-05-03', transactions('c', 1));
    expect(await run(after, 'third')).toMatchObject({
      status: 'committed',
      commit: { version: 3 },
      watermark: { before: '2026-05-02', after: '2026-05-03' },
    });
    expect(await ids(after)).toEqual(['ta-0', 'ta-1', 'tb-0', 'tb-1', 'tc-0', 'tlate-0']);
    const table = await after.table();
    expect((await table.history()).map(({ requestId }) => requestId)).toEqual(['third', 'second', 'first']);
    expect((await table.verify()).faults).toEqual([]);
  },
);

/** As docs/delta.md tells the user to, word for word; then the log is cleaned up. */
function checkpoint(table: string): void {
  const page = readFileSync(join(__dirname, '../../docs/delta.md'), 'utf8');
  const command = /^python -c .*?'$/ms.exec(page)?.[0];
  if (command === undefined) throw new Error('docs/delta.md shows no command that makes checkpoints');
  const env = { PATH: `${dirname(pythonPath())}:${process.env['PATH']}` };
  execFileSync('/bin/sh', ['-c', command.replace('<path>', table)], { env });
  const cleanUp = `
import sys
from deltalake import DeltaTable
for kind in ['curated', 'quarantine']:
    DeltaTable(sys.argv[1] + '/' + kind).alter.set_table_properties({'delta.logRetentionDuration': 'interval 0 seconds'})
    t = DeltaTable(sys.argv[1] + '/' + kind)
    t.create_checkpoint()
    t.cleanup_metadata()
`;
  expect(existsSync(join(table, 'curated/_delta_log/_last_checkpoint'))).toBe(true);
  execFileSync(pythonPath(), ['-c', cleanUp, table]);
  expect(existsSync(join(table, `curated/_delta_log/${'0'.repeat(20)}.json`))).toBe(false);
}
