import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DefaultLogger, Runtime, Worker, bundleWorkflowCode } from '@temporalio/worker';
import { workflowsPath } from '../../src/workflows-path';

/**
 * Histories recorded on a real server, replayed by today's workflow code. One that fails means that
 * runs under way during an upgrade would fail: patch the change (`patched`), or, where no run can be
 * under way, record anew with `npm run histories:record`.
 */
const FOLDER = join(__dirname, 'histories');
const NAMES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.slice(0, -'.json'.length))
  .toSorted();

let bundle: Awaited<ReturnType<typeof bundleWorkflowCode>>;
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  bundle = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
});
afterAll(async () => {
  await Runtime.instance().shutdown();
});

function recorded(name: string): { workflowId: string; history: { events: Record<string, unknown>[] } } {
  return JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8'));
}

test('every workflow has recorded histories', () => {
  const types = NAMES.map((name) => JSON.stringify(recorded(name).history.events[0])).map(
    (event) => /"workflowType":\{"name":"(\w+)"/.exec(event)?.[1],
  );
  expect(new Set(types)).toEqual(new Set(['incrementalRun', 'backfill', 'pipeline', 'run']));
});

test.each(NAMES)('%s replays', async (name) => {
  const { workflowId, history } = recorded(name);
  await Worker.runReplayHistory({ workflowBundle: bundle, replayName: name }, history, workflowId);
});

test('a changed history is noticed', async () => {
  const { workflowId, history } = recorded('run-committed-with-rejected-rows');
  const text = JSON.stringify(history).replaceAll('"resolveKeys"', '"resolveOtherKeys"');
  await expect(Worker.runReplayHistory({ workflowBundle: bundle }, JSON.parse(text), workflowId)).rejects.toThrow(
    /nondeterminism|Nondeterminism|does not match/i,
  );
});
