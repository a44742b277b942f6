import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Contract, type Scope, loadContract } from '../../src/contract';
import { runPipeline } from '../support/run-pipeline';
import { contractYaml, land, transaction } from '../support/transactions';
import { tidegate } from './support/tidegate';

/** What `status` and `plan` advise, where no server answers. */
let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-advice-'));
  file = join(folder, 'pipelines/transactions.yaml');
  mkdirSync(join(folder, 'pipelines'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const raw = () => join(folder, 'raw');
const deliver = (date: string, ...ids: string[]) =>
  land(
    raw(),
    date,
    ids.map((id) => transaction(id, { updated_at: Date.parse(date) })),
  );
const contractIs = async (scope: Scope, change: (yaml: string) => string = (yaml) => yaml): Promise<Contract> => {
  writeFileSync(file, change(contractYaml({ scope, policy: '', lookback: 0 })));
  return await loadContract(file);
};
const cli = async (...args: string[]): Promise<string> => {
  const { stdout, stderr, code } = await tidegate(args);
  if (code !== 0) throw new Error(`${args.join(' ')}: exit code ${code}\n${stderr}`);
  return stdout;
};

test.each([
  ['window', '--all', 1],
  ['partition', '--stale', 0],
] as const)(
  'in scope %s, what stands under earlier gates is restated by backfill %s',
  async (scope, option, warned) => {
    deliver('2026-05-01', 'a');
    deliver('2026-05-06', 'b');
    await runPipeline(await contractIs(scope), 'first');
    await contractIs(scope, (yaml) => yaml.replace('greaterThan: 0', 'greaterThan: 1'));
    expect(await cli('status', file)).toContain(
      `stale      2 partitions under earlier gates, from 2026-05-01 on: tidegate backfill transactions ${option}\n`,
    );
    const warning =
      /warning: .* resolves keys over the stale partitions alone.*tidegate backfill transactions --all\nPlan /g;
    expect((await cli('plan', file, '--stale')).match(warning) ?? []).toHaveLength(warned);
    expect(await cli('plan', file, '--all')).not.toContain('warning');
  },
);

test('status counts what is undecided while raw files are gone, and of that what is missing for certain', async () => {
  const contract = await contractIs('table');
  deliver('2026-05-01', 'a');
  deliver('2026-05-02', 'a', 'b');
  deliver('2026-05-03', 'a', 'b');
  await runPipeline(contract, 'first');
  expect(await cli('status', file)).not.toContain('undecided');
  rmSync(join(raw(), 'date=2026-05-02'), { recursive: true });
  deliver('2026-05-03', 'c');
  await runPipeline(contract, 'second');
  expect(await cli('status', file)).toContain(
    '  undecided  2 superseded rows whose raw files are gone may be due to come back, 1 of them for certain: ' +
      'put the files back and run\n',
  );
  const { table } = JSON.parse(await cli('status', file, '--json')) as { table: object };
  expect(table).toMatchObject({ undecided: 2, unrecoverable: 1 });
  const report = await cli('report', file);
  expect(report).toMatch(/unrecoverable +1 .*\n +undecided +2 /);
  expect(report.match(/warning: 2 superseded rows in 2026-05-02 may be due to come back/g)).toHaveLength(1);
});
