import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Installation } from '../support/installation';
import { python } from '../support/python';
import { contractYaml, transaction, transactions } from '../support/transactions';
import type { Outcome } from './support/tidegate';
import { tidegate } from './support/tidegate';

jest.setTimeout(240_000);

/** A contract in either format; Delta has microseconds where the files have milliseconds. */
const yamlOf = (format: 'directory' | 'delta'): string =>
  contractYaml({ scope: 'partition', lookback: 1 })
    .replace('format: directory', `format: ${format}`)
    .replace('timestamp[ms]', format === 'delta' ? 'timestamp[us]' : 'timestamp[ms]');

describe.each(['directory', 'delta'] as const)('history, path, rollback, verify and vacuum of a %s table', (format) => {
  let it_: Installation;
  const cli = async (args: string): Promise<Outcome> => await tidegate(args.split(' '), { env: it_.env });
  const json = async (args: string, code = 0): Promise<any> => {
    const outcome = await cli(`${args} --json`);
    expect({ args, code: outcome.code, stderr: outcome.stderr }).toMatchObject({ args, code });
    return JSON.parse(outcome.stdout);
  };
  /** The ids in a version, read where `path` says, in the version that it says. */
  const ids = async (options = ''): Promise<string[]> => {
    const { curated, deltaVersions } = await json(`path transactions${options}`);
    return await python<string[]>(
      `
import polars as pl
table = (pl.scan_delta(input['curated'], version=input['version']) if input['version'] is not None
         else pl.scan_parquet(input['curated'] + '/**/*.parquet'))
output = sorted(table.select('transaction_id').collect().to_series().to_list())
`,
      { curated, version: deltaVersions?.curated ?? null },
    );
  };
  const [A, B] = [
    ['ta-0', 'ta-1'],
    ['tb-0', 'tb-1', 'tb-2'],
  ];

  beforeAll(async () => {
    it_ = await Installation.create();
    writeFileSync(path.join(it_.pipelines, 'transactions.yaml'), yamlOf(format));
    await it_.worker();
    it_.land('2026-05-01', [...transactions('a', 2), transaction('bad', { user_id: null })]);
    await json('run transactions --request-id first');
    it_.land('2026-05-02', transactions('b', 3));
    await json('run transactions --request-id second');
  });
  afterAll(async () => {
    await it_?.dispose();
  });

  test('every version is found, by number and by time', async () => {
    const { commits } = await json('history transactions');
    expect(commits).toMatchObject([
      { version: 2, requestId: 'second', watermark: { before: '2026-05-01', after: '2026-05-02' } },
      { version: 1, requestId: 'first', scope: { kind: 'incremental' }, totals: { published: 2, quarantined: 1 } },
    ]);
    const { stdout } = await cli('history transactions');
    expect(stdout).toMatch(/version.*committed \(UTC\)[^]*second[^]*first/);
    expect(await ids()).toEqual([...A, ...B]);
    expect(await ids(' --version 1')).toEqual(A);
    expect(await ids(` --as-of ${commits[0].committedAt}`)).toEqual([...A, ...B]);
    expect(await ids(` --as-of ${commits[1].committedAt}`)).toEqual(A);
    const before = await cli('path transactions --as-of 2020-01-01');
    expect({ ...before, stderr: undefined }).toMatchObject({ code: 2, stdout: '' });
    expect(before.stderr).toMatch(/^error \(RequestError\): .*2020-01-01/);
    expect((await cli('path transactions --version 9')).code).toBe(2);
  });

  test('path of an earlier version says, where the folder does not, which version to read', async () => {
    const { code, stdout, stderr } = await cli('path transactions --version 1 --curated');
    expect(code).toBe(0);
    expect(existsSync(stdout.trim())).toBe(true);
    const hint =
      'Version 1 is version 0 of the Delta table curated and version 0 of quarantine; without a version, readers see the newest.\n';
    expect(stderr).toBe(format === 'delta' ? hint : '');
    expect((await cli('path transactions')).stderr).toBe('');
  });

  test('rollback brings a version back as a new one, says that it pauses, and how to go on', async () => {
    const { code, stdout, stderr } = await cli('rollback transactions --to 1');
    expect(code).toBe(0);
    expect(stdout).toContain('Rolled back: version 3 has the content of version 1 (2 partitions changed).');
    expect(stdout).toContain(
      'transactions is paused: the next incremental run would bring the newer data back. To go on: tidegate resume transactions',
    );
    expect(stderr).toContain('transactions: asked for, as ');
    expect(await ids()).toEqual(A);
    expect((await cli('history transactions')).stdout).toMatch(/│ +3 │[^\n]*rollback to 1/);
    expect(await json('status transactions')).toMatchObject({
      table: { version: 3, watermark: '2026-05-01', published: 2, quarantined: 1 },
      temporal: { state: { paused: { note: 'rolled back to version 1' } } },
    });
    expect((await cli('run transactions')).stdout).toContain('Skipped: transactions is paused');
    expect(await ids()).toEqual(A);
  });

  test('--json prints the report, and the same request asked again makes no other version', async () => {
    await json('resume transactions');
    const report = await json('rollback transactions --to 2 --request-id forward');
    expect(report).toMatchObject({
      kind: 'rollback',
      status: 'committed',
      requestId: 'forward',
      commit: { version: 4 },
      watermark: { before: '2026-05-01', after: '2026-05-02' },
      paused: true,
    });
    const again = await json('rollback transactions --to 2 --request-id forward');
    expect(again.commit).toEqual(report.commit);
    expect(await ids()).toEqual([...A, ...B]);
    expect((await json('history transactions')).commits).toHaveLength(4);
  });

  test('--no-pause leaves the pipeline running, and says what that means', async () => {
    await json('resume transactions');
    const { code, stdout } = await cli('rollback transactions --to 1 --no-pause');
    expect(code).toBe(0);
    expect(stdout).toContain('transactions is not paused: the next incremental run brings the newer data back.');
    expect(stdout).toContain('To keep it away: tidegate pause transactions');
    expect(await json('run transactions')).toMatchObject({ status: 'committed', commit: { version: 6 } });
    expect(await ids()).toEqual([...A, ...B]);
  });

  test('a version that is not there is refused with exit code 2, and nothing is published or paused', async () => {
    const { code, stdout, stderr } = await cli('rollback transactions --to 99');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error \(RequestError\): .*there is no version 99/m);
    const { error } = await json('rollback transactions --to 99', 2);
    expect(error).toMatchObject({ type: 'RequestError' });
    expect(await json('status transactions')).toMatchObject({
      table: { version: 6 },
      temporal: { state: { paused: null } },
    });
    expect(await cli('rollback transactions')).toMatchObject({ code: 2, stdout: '' });
  });

  test('verify finds the newest and earlier versions whole; vacuum says that it would remove nothing of them', async () => {
    expect((await cli('verify transactions')).stdout).toMatch(
      /^Verified version 6 of transactions: 2 partitions, 3 files, 6 rows, .*\. All is as the commit says\.$/m,
    );
    expect(await json('verify transactions --version 1')).toMatchObject({ version: 1, faults: [] });
    expect(await json('vacuum transactions')).toMatchObject({ dryRun: true, removed: [] });
    expect(await cli('vacuum transactions')).toMatchObject({ code: 0, stdout: 'Nothing to remove.\n' });
  });

  test('verify exits with 1 when a file was changed, names it, and says what to do', async () => {
    const [file] = await filesOfVersion6();
    const bytes = readFileSync(file!);
    bytes[20]! ^= 0xff;
    writeFileSync(file!, bytes);
    const { code, stdout } = await cli('verify transactions');
    expect(code).toBe(1);
    expect(stdout).toContain('digest');
    expect(stdout).toContain(path.basename(file!));
    expect(stdout).toContain('What to do: roll back to a version that verifies');
    const { faults } = await json('verify transactions', 1);
    expect(faults).toMatchObject([{ check: 'digest' }]);
  });

  /** Files of the newest version's first partition. */
  async function filesOfVersion6(): Promise<string[]> {
    const { curated } = await json('path transactions');
    if (format === 'directory') {
      const folder = path.join(curated, 'date=2026-05-02');
      return readdirSync(folder).map((name) => path.join(folder, name));
    }
    return await python(
      `from deltalake import DeltaTable\noutput = DeltaTable(input).file_uris(partition_filters=[('date', '=', '2026-05-02')])`,
      curated,
    );
  }
});
