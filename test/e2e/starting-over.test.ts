import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openTable } from '../../src/publish';
import type { RunSummary } from '../../src/workflows/messages';
import { Installation } from '../support/installation';
import { python } from '../support/python';
import { pythonPath } from '../../scripts/test-python';
import { contentOf } from '../support/read-table';
import { runPipeline } from '../support/run-pipeline';
import { contractYaml, transaction, transactions } from '../support/transactions';

jest.setTimeout(240_000);

async function install(format: string): Promise<Installation> {
  const it_ = await Installation.create();
  const yaml = contractYaml({ scope: 'table', policy: 'reprocess: changed', lookback: 1 }).replace(
    'format: directory',
    `format: ${format}`,
  );
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

/** With links and times as they are: the raw zone's files are known again by them. */
const copy = (from: string, to: string): void => void execFileSync('cp', ['-a', from, to]);

const NEWER = { updated_at: Date.UTC(2026, 5, 1), amount: 20 };
const MAY_2 = [...transactions('b', 2), transaction('bad', { user_id: null })];

describe.each(['directory', 'delta'])('from a copy of a %s table alone', (format) => {
  let kept: string;
  let second: RunSummary;
  let after: Installation | undefined;

  beforeAll(async () => {
    kept = mkdtempSync(join(tmpdir(), 'tidegate-starting-over-'));
    const before = await install(format);
    try {
      before.land('2026-05-01', transactions('a', 2));
      await run(before, 'first');
      // A newer version of a key of the day before, which loses there.
      before.land('2026-05-02', [...MAY_2, transaction('a-0', NEWER)]);
      second = await run(before, 'second');
      if (format === 'delta') checkpoint(before.curated);
      copy(before.raw, join(kept, 'raw'));
      copy(before.curated, join(kept, 'curated'));
    } finally {
      await before.dispose();
    }
  });
  afterEach(() => after?.dispose());
  afterAll(() => rmSync(kept, { recursive: true, force: true }));

  test.each(['with', 'without'])('a new server and a new worker go on exactly, %s its key indexes', async (indexes) => {
    // Another machine: the contract, the raw zone, and the copy.
    after = await install(format);
    copy(`${kept}/raw/.`, after.raw);
    copy(join(kept, 'curated'), after.curated);
    const table = await after.table();
    const indexFolder = join(after.curated, table.indexFolder);
    expect(existsSync(indexFolder)).toBe(true);
    if (indexes === 'without') rmSync(indexFolder, { recursive: true });

    // A request that was committed there is committed.
    expect(await run(after, 'second')).toMatchObject({
      status: 'committed',
      commit: { version: 2 },
      totals: second.totals,
    });
    expect(await table.history()).toHaveLength(2);
    // What was consumed is not new; new data is taken, and so is late data in the window. The newer version is taken
    // back, so that the older one returns to a day of which nothing else changed; another key moves on.
    after.land('2026-05-02', MAY_2);
    after.land('2026-05-02', transactions('late', 1), 'late.parquet');
    after.land('2026-05-03', [
      ...transactions('c', 1),
      transaction('b-0', NEWER),
      transaction('copied', { transaction_receipt: 'ra-1' }),
    ]);
    expect(await run(after, 'third')).toMatchObject({
      status: 'committed',
      commit: { version: 3 },
      watermark: { before: '2026-05-02', after: '2026-05-03' },
    });
    expect((await table.report(3)).partitions.map(({ date, reason }) => `${date} ${reason}`)).toEqual([
      '2026-05-01 coupled',
      '2026-05-02 changed',
      '2026-05-03 new',
    ]);
    // a-1 is not published: its receipt came again.
    expect(await ids(after)).toEqual(['ta-0', 'tb-0', 'tb-1', 'tc-0', 'tlate-0']);
    expect((await table.history()).map(({ requestId }) => requestId)).toEqual(['third', 'second', 'first']);
    expect((await table.verify()).faults).toEqual([]);

    const contract = await after.loadContract();
    const anew = { ...contract, publish: { ...contract.publish, path: join(after.folder, 'anew') } };
    await runPipeline(anew, 'one full run');
    expect(await contentOf(table)).toEqual(await contentOf(openTable(anew)));
  });
});

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
