import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Installation } from '../support/installation';
import { python } from '../support/python';
import { transaction, transactions } from '../support/transactions';
import type { Outcome } from './support/tidegate';
import { tidegate } from './support/tidegate';

let it_: Installation;
const cli = async (args: string, options: { interrupt?: string } = {}): Promise<Outcome> =>
  await tidegate(args.split(' '), { env: it_.env, ...options });
const json = async (args: string): Promise<Record<string, any>> => {
  const { stdout, stderr, code } = await cli(`${args} --json`);
  if (code !== 0) throw new Error(`${args}: exit code ${code}\n${stderr}`);
  return JSON.parse(stdout) as Record<string, any>;
};

beforeAll(async () => {
  it_ = await Installation.create({
    scope: 'partition',
    policy: 'reprocess: changed',
    more: 'schedule: { every: 1h }\n',
  });
  it_.land('2026-05-01', transactions('a', 3));
  it_.land('2026-05-02', [...transactions('b', 2), transaction('bad', { user_id: null, amount: -1 })]);
});
afterAll(async () => {
  await it_?.dispose();
});

describe('the command line over the life of a table, in order', () => {
  test('without a worker that is said, and Ctrl-C detaches: the request goes on', async () => {
    const { code, stdout, stderr } = await cli('run transactions', { interrupt: 'No worker polls' });
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr).toContain('tidegate worker');
    expect(stderr).toContain('The run goes on without this terminal');
    const id = /--request (\S+)/.exec(stderr)?.[1];
    const cancelled = await json(`cancel transactions --request ${id}`);
    expect(cancelled).toEqual({ pipeline: 'transactions', requestId: id, was: 'asked for' });
    expect((await cli('pause transactions')).stderr).toContain('no worker polls the task queue');
  });

  test('a run ends with its three outputs, progress on stderr', async () => {
    await it_.worker();
    const { code, stdout, stderr } = await cli('run transactions');
    expect(code).toBe(0);
    expect(stdout).toMatch(/│ 2026-05-02 │ yes +│ new /);
    expect(stdout).toMatch(/│ 2026-05-02 │ +0 │ +1 │ +1 │ +0 │ +1 │/);
    expect(stdout).toMatch(/read +6\n[^]*passed +5 [^]*rejected +1 /);
    expect(stdout).toContain('Watermark none → 2026-05-02');
    expect(stderr).toContain('transactions: asked for, as tidegate-run-transactions-');
  });

  test('--json prints the report as the one document on stdout', async () => {
    it_.land('2026-05-03', transactions('c', 4));
    const report = await json('run transactions --request-id nightly');
    expect(report).toMatchObject({
      requestId: 'nightly',
      pipeline: 'transactions',
      kind: 'incremental',
      status: 'committed',
      watermark: { before: '2026-05-02', after: '2026-05-03' },
      commit: { version: 2 },
      totals: { read: 4, published: 4, quarantined: 0 },
      held: 0,
    });
    expect(await json('run transactions --request-id nightly')).toEqual(report);
    expect(await json('report transactions')).toEqual({ ...report, status: undefined, held: undefined });
  });

  test('a plan is run exactly, or not at all', async () => {
    it_.land('2026-05-03', [], 'part-1.parquet');
    const { digest } = await json('plan transactions');
    const wrong = await cli(`run transactions --plan ${'0'.repeat(64)} --json`);
    expect(wrong.code).toBe(1);
    expect(JSON.parse(wrong.stdout)).toMatchObject({ pipeline: 'transactions', error: { type: 'PlanChanged' } });
    expect(await json(`run transactions --plan ${digest}`)).toMatchObject({
      planDigest: digest,
      commit: { version: 3 },
    });
  });

  test('a backfill in chunks ends with one document and its chunks', async () => {
    const merged = await json('backfill transactions --from 2026-05-01 --to 2026-05-03 --chunk-days 2');
    expect(merged).toMatchObject({
      kind: 'backfill',
      scope: { from: '2026-05-01', to: '2026-05-03' },
      commit: { version: 5 },
      watermark: { before: '2026-05-03', after: '2026-05-03' },
      totals: { read: 10, published: 9, quarantined: 1 },
    });
    expect(merged['partitions']).toHaveLength(3);
    expect(merged['chunks'].map(({ from, to, status, version }: any) => [from, to, status, version])).toEqual([
      ['2026-05-01', '2026-05-02', 'committed', 4],
      ['2026-05-03', '2026-05-03', 'committed', 5],
    ]);
    const { stdout } = await cli('backfill transactions --from 2026-05-01 --to 2026-05-03 --chunk-days 2');
    expect(stdout).toMatch(/Chunks\n[^]*│ +2 │ 2026-05-03 │ 2026-05-03 │ committed │ +7 │/);
  });

  test('history, path and status agree on the newest version', async () => {
    const { commits } = await json('history transactions --limit 2');
    expect(commits.map(({ version }: { version: number }) => version)).toEqual([7, 6]);
    const { curated } = await json('path transactions');
    expect(readdirSync(curated)).toEqual(['date=2026-05-01', 'date=2026-05-02', 'date=2026-05-03']);
    expect((await cli('path transactions --quarantine')).stdout).toBe(
      `${path.join(path.dirname(curated), 'quarantine')}\n`,
    );
    expect(await json('status transactions')).toMatchObject({
      table: { version: 7, watermark: '2026-05-03', published: 9, quarantined: 1, stale: [] },
      temporal: { address: it_.server.address, note: null, state: { running: null, paused: null, version: 7 } },
    });
  });

  test('what the README shows for reading the table runs', async () => {
    const readme = readFileSync(path.join(__dirname, '../../README.md'), 'utf8');
    const polars = /^```python\n(import os, polars[^]*?)^```$/m.exec(readme)?.[1];
    const query = /^duckdb -c "(select .* from read_parquet.*)"$/m.exec(readme)?.[1];
    const read = await python<object>(
      `
import ast, duckdb
shown = ast.parse(input['polars'].replace('curated/transactions', input['table']))
names = {}
exec(compile(ast.Module(shown.body[:-1], []), 'README', 'exec'), names)
frame = eval(compile(ast.Expression(shown.body[-1].value), 'README', 'eval'), names)
output = {'polars': frame.height, 'duckdb': sum(rows for _, rows, _ in duckdb.sql(input['query']).fetchall())}
`,
      { polars, table: it_.curated, query: query?.replace('$V', (await cli('path transactions')).stdout.trim()) },
    );
    expect(read).toEqual({ polars: 9, duckdb: 9 });
  });

  test('vacuum removes nothing unless told to', async () => {
    expect(await json('vacuum transactions --older-than 0h')).toMatchObject({ dryRun: true });
    expect(existsSync((await json('path transactions --version 1'))['curated'])).toBe(true);
  });

  test('a paused pipeline skips runs, and says how to go on', async () => {
    expect(await json('pause transactions --note repair')).toMatchObject({ paused: { note: 'repair' } });
    const { code, stdout } = await cli('run transactions');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'Skipped: transactions is paused. To go on: tidegate resume transactions\n',
    });
    expect(await json('run transactions')).toMatchObject({ status: 'skipped', reason: 'paused', commit: null });
    expect((await cli('status transactions')).stdout).toMatch(/paused +since .* UTC: repair \(tidegate resume/);
    expect(await json('resume transactions')).toMatchObject({ paused: null });
  });

  test('what is held ends plan and run with code 3, stands in status, and is decided by a run', async () => {
    const original = readFileSync(path.join(it_.pipelines, 'transactions.yaml'));
    it_.contract({ scope: 'partition', lookback: 1, policy: 'late: hold, gone: hold' });
    it_.land('2026-05-01', [transaction('late')], 'part-1.parquet');
    it_.land('2026-04-30', [transaction('later')]);
    rmSync(path.join(it_.raw, 'date=2026-05-02'), { recursive: true });

    const plan = await cli('plan transactions');
    expect(plan.code).toBe(3);
    expect(plan.stdout).toMatch(/│ 2026-05-01 │ no +│ held: late /);
    expect(plan.stdout).toContain(
      '2 late partitions are held (2026-04-30 and 2026-05-01): new or changed, and older than the window. To decide: tidegate run transactions --include-late\n' +
        '1 published partition whose raw files are gone is held (2026-05-02). To decide: tidegate run transactions --remove-gone\n',
    );
    const held = await cli('run transactions --json');
    expect(held.code).toBe(3);
    expect(JSON.parse(held.stdout)).toMatchObject({ status: 'nothing', commit: null, held: 3 });
    const { source } = await json('status transactions');
    expect(source).toMatchObject({ toTake: [], toRemove: [], held: 3, error: null });
    expect((await cli('status transactions')).stdout).toMatch(/raw zone +nothing new or changed\n +2 late partitions/);

    const one = await cli('run transactions --include-late 2026-05-01 --remove-gone --json');
    expect(one.code).toBe(3);
    const report = JSON.parse(one.stdout);
    expect(report).toMatchObject({
      status: 'committed',
      scope: { kind: 'incremental', includeLate: ['2026-05-01'], removeGone: 'all' },
      partitions: [{ date: '2026-05-01', reason: 'late' }],
      removed: [{ date: '2026-05-02', published: 2, quarantined: 1 }],
      held: 1,
    });
    const { digest } = JSON.parse((await cli('plan transactions --include-late --json')).stdout);
    const rest = await cli(`run transactions --include-late --plan ${digest}`);
    expect(rest.code).toBe(0);
    expect(rest.stdout).toContain('incremental, late included, watermark 2026-05-03');
    expect(readdirSync((await json('path transactions'))['curated'])).toEqual([
      'date=2026-04-30',
      'date=2026-05-01',
      'date=2026-05-03',
    ]);
    for (const wrong of ['run transactions --include-late 2026-02-30', 'plan transactions --all --remove-gone']) {
      expect((await cli(wrong)).code).toBe(2);
    }
    writeFileSync(path.join(it_.pipelines, 'transactions.yaml'), original);
  });

  test('a schedule is applied, listed, paused, triggered and deleted', async () => {
    expect(await json('schedule apply transactions')).toMatchObject([{ outcome: 'created', schedule: 'every 1h' }]);
    expect(await json('schedule apply --all')).toMatchObject([{ outcome: 'unchanged', changes: [] }]);
    await cli('schedule pause transactions --note quiet');
    expect(await json('schedule list')).toMatchObject([
      { pipeline: 'transactions', paused: true, note: 'quiet', next: null },
    ]);
    await cli('schedule resume transactions');
    expect((await cli('schedule trigger transactions')).stdout).toBe('tidegate/transactions: triggered\n');
    expect((await cli('schedule delete transactions')).code).toBe(0);
    const again = await cli('schedule delete transactions');
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('there is no schedule tidegate/transactions');
  });

  test('a run that fails exits with 1 and names its cause in one line; a cancel of nothing does too', async () => {
    it_.land('2026-05-04', transactions('d', 1), 'ok.parquet');
    writeFileSync(path.join(it_.raw, 'date=2026-05-04', 'broken.parquet'), 'no parquet');
    const { code, stdout, stderr } = await cli('run transactions');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^error \(UnreadableFile\): .*date=2026-05-04\/broken\.parquet/m);
    const none = await cli('cancel transactions');
    expect({ code: none.code, stdout: none.stdout }).toEqual({ code: 1, stdout: '' });
    expect(none.stderr).toContain('runs nothing now');
  });
});
