import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createProgram } from '../../src/cli/program';
import { exitCodeOf } from '../../src/cli/support/exit';
import { reasonsOf } from '../support/reasons';
import { contractYaml, land, transactions } from '../support/transactions';
import { tidegate } from './support/tidegate';

const DIST = path.join(__dirname, '../../dist');

let folder: string;
let env: Record<string, string>;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tidegate-cli-'));
  mkdirSync(path.join(folder, 'pipelines'));
  env = { TIDEGATE_PIPELINES: path.join(folder, 'pipelines') };
  writeFileSync(path.join(folder, 'pipelines/transactions.yaml'), contractYaml());
  land(path.join(folder, 'raw'), '2026-05-01', transactions('a', 3));
  land(path.join(folder, 'raw'), '2026-05-02', transactions('b', 2));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const COMMANDS = [
  'check', 'plan', 'status', 'history', 'report', 'path', 'run', 'backfill', 'rollback', 'schedule', 'pause', 'resume', 'cancel',
  'verify', 'vacuum', 'worker', 'dev', 'demo',
]; // prettier-ignore

test('--help lists every command, the exit codes and examples', async () => {
  const { code, stdout } = await tidegate(['--help']);
  expect(code).toBe(0);
  for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
  expect(stdout).toContain('2    wrong usage or contract');
  expect(stdout).toContain('$ tidegate run transactions');
});

test('what takes long to load, a command loads when it needs it', () => {
  const packagesOf = (room: string): string[] => {
    const script = `require(${JSON.stringify(path.join(DIST, room))}); console.log(Object.keys(require.cache).join('\\n'))`;
    const files = execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }).trim().split('\n');
    return [...new Set(files.flatMap((file) => /node_modules\/(@[^/]+\/[^/]+|[^/]+)\//.exec(file)?.[1] ?? []))];
  };
  const toStart = packagesOf('cli/program.js');
  expect(toStart).toContain('commander');
  expect(toStart.filter((name) => /^@temporalio|^@aws-sdk|^nodejs-polars/.test(name))).toEqual([]);
  const toConnect = packagesOf('temporal');
  expect(toConnect).toContain('@temporalio/client');
  expect(toConnect).not.toContain('@temporalio/worker');
});

test.each(COMMANDS)('%s --help has an example and says more than the list', (name) => {
  const command = createProgram().commands.find((candidate) => candidate.name() === name)!;
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text) });
  command.outputHelp();
  expect(help).toContain('Examples:');
  const words = (text: string): string => text.replaceAll(/\s+/g, ' ');
  expect(words(help)).toContain(words(command.description()));
  expect(help.split('\n').filter((line) => line.length > 110 || /\s$/.test(line))).toEqual([]);
});

test.each([
  [['frobnicate'], "unknown command 'frobnicate'"],
  [['run'], "missing required argument 'pipeline'"],
  [['run', 'transactions', '--frob'], "unknown option '--frob'"],
  [['backfill', 'transactions'], 'a backfill needs a range: --from <date> --to <date>, or --all, or --stale'],
  [['backfill', 'transactions', '--from', '2026-05-01'], '--from and --to go together: --to is missing'],
  [
    ['backfill', 'transactions', '--from', '2026-05-02', '--to', '2026-05-01'],
    '--to 2026-05-01 is before --from 2026-05-02',
  ],
  [['backfill', 'transactions', '--from', '2026-02-30', '--to', '2026-05-01'], 'Expected a real date as YYYY-MM-DD.'],
  [['backfill', 'transactions', '--all', '--stale'], "option '--all' cannot be used with option '--stale'"],
  [['backfill', 'transactions', '--all', '--chunk-days', '0'], 'Expected a whole number of 1 or more.'],
  [['vacuum', 'transactions', '--older-than', 'soon'], 'Expected hours, days or weeks'],
  [['rollback', 'transactions'], "required option '--to <version>' not specified"],
  [['rollback', 'transactions', '--to', '0'], 'Expected a whole number of 1 or more.'],
  [['path', 'transactions', '--as-of', 'yesterday'], 'Expected a UTC time'],
  [['path', 'transactions', '--as-of', '2026-02-30'], 'Expected a UTC time'],
  [['path', 'transactions', '--as-of', '2026-05-08T12:00+02:00'], 'Expected a UTC time'],
  [
    ['path', 'transactions', '--as-of', '2026-05-08', '--version', '1'],
    "option '--as-of <time>' cannot be used with option",
  ],
  [['report', 'transactions', '--version', 'x'], 'Expected a whole number of 1 or more.'],
  [['schedule', 'apply'], 'name at least one pipeline, or give --all'],
  [['plan', 'nosuch'], 'no contract of a pipeline "nosuch"'],
  [['plan', '../nosuch.yaml'], 'nosuch.yaml'],
])('%j is wrong usage', async (args, message) => {
  const program = createProgram();
  for (const command of [program, ...program.commands]) command.configureOutput({ writeErr: () => {} });
  const before = process.env['TIDEGATE_PIPELINES'];
  process.env['TIDEGATE_PIPELINES'] = env['TIDEGATE_PIPELINES'];
  try {
    const error = await program.parseAsync(args, { from: 'user' }).catch((thrown: unknown) => thrown);
    expect((error as Error).message).toContain(message);
    expect(exitCodeOf(error)).toBe(2);
  } finally {
    if (before === undefined) delete process.env['TIDEGATE_PIPELINES'];
    else process.env['TIDEGATE_PIPELINES'] = before;
  }
});

test.each([
  [['run', 'transactions', '--frob'], "error: unknown option '--frob'"],
  [['backfill', 'transactions'], 'error: a backfill needs a range'],
  [['plan', 'nosuch'], 'error (ContractError): no contract of a pipeline "nosuch"'],
])('%j exits with 2, and leaves stdout alone', async (args, message) => {
  const { code, stdout, stderr } = await tidegate(args, { env });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(message);
});

test('with nowhere to look for names, that is said', async () => {
  const { code, stderr } = await tidegate(['plan', 'transactions'], { cwd: path.join(folder, 'raw') });
  expect(code).toBe(2);
  expect(stderr).toContain('TIDEGATE_PIPELINES is not set and there is no folder ./pipelines');
});

test('./pipelines is the default, and a path needs no folder at all', async () => {
  const byName = await tidegate(['plan', 'transactions', '--json'], { cwd: folder });
  const byPath = await tidegate(['plan', './pipelines/transactions.yaml', '--json'], { cwd: folder });
  expect(byName.code).toBe(0);
  expect(byPath).toEqual(byName);
});

test('plan prints what a run would take and why, and its digest', async () => {
  const { code, stdout, stderr } = await tidegate(['plan', 'transactions'], { env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/│ 2026-05-01 │ yes +│ new +│ +1 │ +3 │/);
  expect(stdout).toContain('A run would publish version 1; the watermark goes from none to 2026-05-02.');
  const json = await tidegate(['plan', 'transactions', '--json'], { env });
  const { digest, plan } = JSON.parse(json.stdout) as { digest: string; plan: { partitions: unknown[] } };
  expect(stdout).toContain(`Plan ${digest}`);
  expect(plan.partitions).toHaveLength(2);
});

test('plan of a backfill takes the range only', async () => {
  const { stdout } = await tidegate(['plan', 'transactions', '--from', '2026-05-02', '--to', '2026-05-03', '--json'], {
    env,
  });
  const { plan } = JSON.parse(stdout) as { plan: { partitions: { date: string; reason: string }[]; left: object[] } };
  expect(reasonsOf(plan)).toEqual(['2026-05-02 requested']);
  expect(plan.left).toContainEqual({ date: '2026-05-03', reason: 'no data' });
});

test('check says what is right', async () => {
  const { code, stdout } = await tidegate(['check', 'transactions'], { env });
  expect(code).toBe(0);
  expect(stdout.split('\n').map((line) => line.slice(0, 15))).toEqual([
    'ok    contract ',
    'ok    source   ',
    'ok    target   ',
    '',
  ]);
  expect(stdout).toContain('2 partitions (2026-05-01 … 2026-05-02), 2 files');
});

test('check lists every fault of a contract at once, with its place, and exits with 2', async () => {
  const file = path.join(folder, 'broken.yaml');
  writeFileSync(file, contractYaml().replace('pipeline: transactions', 'pipeline: Bad Name\ntypo: 1'));
  const { code, stdout, stderr } = await tidegate(['check', file, '--json']);
  expect(code).toBe(2);
  const { error } = JSON.parse(stdout) as { error: { type: string; faults: { key: string; line: number }[] } };
  expect(error.type).toBe('ContractError');
  expect(error.faults.map(({ key }) => key).toSorted()).toEqual(['pipeline', 'typo']);
  expect(stderr).toContain('broken.yaml:1:');
});

test('check holds the contract against the files, and exits with 1', async () => {
  const raw = path.join(folder, 'other/raw');
  land(raw, '2026-05-01', transactions('a', 1));
  mkdirSync(path.join(raw, 'date=2026-05-02'));
  writeFileSync(path.join(raw, 'date=2026-05-02', 'bad\u001b[2J.parquet'), 'no parquet');
  const file = path.join(folder, 'other/contracts/other.yaml');
  mkdirSync(path.dirname(file));
  writeFileSync(file, contractYaml({ pipeline: 'other' }).replace('user_id: string', 'user_id: int64'));
  const { code, stdout } = await tidegate(['check', file]);
  expect(code).toBe(1);
  expect(stdout).toContain('date=2026-05-01/part-0.parquet: column user_id: expected int64, found string');
  expect(stdout).toContain('date=2026-05-02/bad\\u{1b}[2J.parquet');
  expect(stdout).not.toContain('\u001b');
});

test('a table without commits: status and history say so, path and report fail with what to do', async () => {
  const status = await tidegate(['status', 'transactions', '--json'], { env });
  expect(status.code).toBe(0);
  expect(JSON.parse(status.stdout)).toMatchObject({
    pipeline: 'transactions',
    table: { version: 0, watermark: null },
    temporal: {
      address: null,
      state: null,
      note: expect.stringContaining('no Temporal server answers at 127.0.0.1:1'),
    },
  });
  expect((await tidegate(['history', 'transactions'], { env })).stdout).toContain('has no commits yet');
  for (const command of ['path', 'report']) {
    const { code, stdout, stderr } = await tidegate([command, 'transactions'], { env });
    expect(code).not.toBe(0);
    expect({ stdout, failed: stderr.startsWith('error') }).toEqual({ stdout: '', failed: true });
  }
});

test('without a server, run fails and names the address and the ways to have one', async () => {
  const { code, stdout, stderr } = await tidegate(['run', 'transactions', '--json'], { env });
  expect(code).toBe(1);
  expect(stderr).toContain('no Temporal server answers at 127.0.0.1:1');
  expect(stderr).toContain('tidegate dev');
  expect(JSON.parse(stdout)).toMatchObject({ error: { type: 'TemporalUnreachable' } });
});

test('the demo does not write into a folder that holds something', async () => {
  const { code, stderr } = await tidegate(['demo', '--dir', folder]);
  expect(code).toBe(2);
  expect(stderr).toContain('is not empty');
});

test('the help of worker names every variable that the docs say a worker reads', async () => {
  const docs = readFileSync(path.join(__dirname, '../../docs/operations.md'), 'utf8');
  const variables = [...docs.matchAll(/^\| `(TIDEGATE_\w+)` \|/gm)].map(([, name]) => name ?? '');
  const { stdout } = await tidegate(['worker', '--help']);
  expect(variables.length).toBeGreaterThan(5);
  for (const variable of variables) expect(stdout).toContain(variable);
});
