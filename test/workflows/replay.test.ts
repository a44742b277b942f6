import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DefaultLogger, Runtime, Worker, bundleWorkflowCode } from '@temporalio/worker';
import * as workflows from '../../src/workflows';
import { type RunInput, type RunKind, WorkflowType } from '../../src/workflows/messages';
import { workflowsPath } from '../../src/workflows-path';

/**
 * Histories recorded on a real server, replayed by today's workflow code. One that fails means that
 * runs under way during an upgrade would fail: patch the change (`patched`), or, where no run can be
 * under way, delete it and record it anew with `npm run histories:record`.
 */
const FOLDER = join(__dirname, 'histories');
const NAMES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.slice(0, -'.json'.length))
  .toSorted();

/** What `discoverPartitions` and `resolveKeys` answer, as far as it is looked at. */
interface Planned {
  readonly taken?: number;
  readonly completed?: { readonly taken: number };
}
interface Payload {
  /** Base64; absent or empty for nothing. */
  readonly data?: string;
}
interface Recorded {
  readonly workflowId: string;
  readonly history: {
    readonly events: readonly {
      readonly workflowExecutionStartedEventAttributes?: {
        readonly workflowType: { readonly name: string };
        readonly input: { readonly payloads: readonly Payload[] };
      };
      readonly activityTaskCompletedEventAttributes?: { readonly result?: { readonly payloads: readonly Payload[] } };
    }[];
  };
}

let bundle: Awaited<ReturnType<typeof bundleWorkflowCode>>;
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  bundle = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
});
afterAll(async () => {
  await Runtime.instance().shutdown();
});

const recorded = (name: string): Recorded => JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as Recorded;
const started = (name: string) => recorded(name).history.events[0]!.workflowExecutionStartedEventAttributes!;
const value = (payload: Payload | undefined): unknown =>
  (payload?.data ?? '') === '' ? undefined : JSON.parse(Buffer.from(payload!.data!, 'base64').toString('utf8'));

/** The recorded runs, by name, with what they were asked for. */
const runs = (): { readonly name: string; readonly input: RunInput }[] =>
  NAMES.filter((name) => started(name).workflowType.name === WorkflowType.run).map((name) => ({
    name,
    input: value(started(name).input.payloads[0]) as RunInput,
  }));

test('every workflow that a worker serves has recorded histories', () => {
  const types = new Set(NAMES.map((name) => started(name).workflowType.name));
  expect([...types].toSorted()).toEqual(Object.keys(workflows).toSorted());
});

test('a run of every kind has recorded histories', () => {
  const kinds = { incremental: true, backfill: true, rollback: true } satisfies Record<RunKind, true>;
  expect(new Set(runs().map(({ input }) => input.scope.kind))).toEqual(new Set(Object.keys(kinds)));
});

test('a run whose plan key resolution completed has recorded histories, with coupled partitions too', () => {
  const taken = runs().flatMap(({ name }) => {
    const results = recorded(name).history.events.map(
      (event) => value(event.activityTaskCompletedEventAttributes?.result?.payloads[0]) as Planned | null | undefined,
    );
    const completed = results.find((result) => result?.completed !== undefined)?.completed;
    const found = results.find((result) => result?.taken !== undefined)?.taken;
    return completed === undefined ? [] : [[found, completed.taken]];
  });
  // In the second, what is transformed stands in the completed plan alone.
  expect(taken).toEqual(
    expect.arrayContaining([
      [1, 2],
      [0, 1],
    ]),
  );
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
