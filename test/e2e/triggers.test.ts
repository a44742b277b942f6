import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { resolveTool } from '../../src/temporal';
import type { BackfillSummary, RunSummary } from '../../src/workflows/messages';
import { Installation } from '../support/installation';
import { transactions } from '../support/transactions';

/** The lines of the README that start work by other tools, run as they stand there with the real binaries. */
const README = readFileSync(join(__dirname, '..', '..', 'README.md'), 'utf8');
const lines = (start: string): string[] => README.split('\n').filter((line) => line.startsWith(start));

let it_: Installation;
let path: string;

beforeAll(async () => {
  const binaries = await Promise.all([resolveTool('temporal'), resolveTool('tctl')]);
  path = [...binaries.map((binary) => dirname(binary.path)), process.env['PATH']].join(':');
  it_ = await Installation.create({ scope: 'partition' });
  for (const day of ['01', '02', '03', '04', '05', '06', '07']) it_.land(`2026-05-${day}`, transactions(day, 2));
  await it_.worker();
}, 600_000);
afterAll(async () => {
  await it_?.dispose();
});

async function shell(command: string): Promise<string> {
  const { TEMPORAL_ADDRESS } = it_.env;
  const { stdout } = await promisify(execFile)('sh', ['-c', command], {
    env: { ...process.env, PATH: path, TEMPORAL_ADDRESS, TEMPORAL_CLI_ADDRESS: TEMPORAL_ADDRESS },
  });
  return stdout;
}

const workflowIdIn = (command: string): string => /(?:--workflow-id|--wid) (\S+)/.exec(command)![1]!;

test.each(lines('temporal workflow start').concat(lines('tctl workflow start')))('%s', async (command) => {
  await shell(command);
  const result: unknown = await it_.client.workflow.getHandle(workflowIdIn(command)).result();
  if (command.includes('incrementalRun')) {
    expect(result as RunSummary).toMatchObject({ status: 'committed', watermark: { after: '2026-05-07' } });
  } else {
    expect((result as BackfillSummary).chunks).toMatchObject([
      { from: '2026-05-01', to: '2026-05-07', status: 'committed' },
    ]);
  }
});

test('the README shows both tools starting both workflows', () => {
  for (const tool of ['temporal', 'tctl']) {
    const text = lines(`${tool} workflow start`).join('\n');
    expect(text).toContain('incrementalRun');
    expect(text).toContain('backfill');
  }
});

test.each(lines('temporal workflow query'))('%s', async (command) => {
  expect(await shell(command)).toContain('2026-05-07');
});

test('one commit came of each, and no more', async () => {
  const commits = await (await it_.table()).history();
  expect(commits).toHaveLength(lines('temporal workflow start').length + lines('tctl workflow start').length);
  expect(new Set(commits.map((commit) => commit.requestId)).size).toBe(commits.length);
});
