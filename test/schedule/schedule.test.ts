import { Client, Connection } from '@temporalio/client';
import { definePipeline } from '../../src/contract';
import { applySchedule, pipelineOf, scheduleIdOf, temporalSchedule } from '../../src/schedule';
import type { DevServer } from '../../src/temporal';
import { startDevServer } from '../../src/temporal';

let server: DevServer;
let connection: Connection;
let client: Client;
beforeAll(async () => {
  server = await startDevServer({ headless: true });
  connection = await Connection.connect({ address: server.address });
  client = new Client({ connection });
});
afterAll(async () => {
  await connection?.close();
  await server?.stop();
});

const contract = (pipeline: string, schedule?: NonNullable<Parameters<typeof definePipeline>[0]['schedule']>) =>
  definePipeline(
    {
      pipeline,
      source: { path: 'raw' },
      columns: { id: 'string', at: 'timestamp[us]' },
      deduplicate: { primaryKey: 'id', orderBy: 'at', scope: 'window' },
      publish: { path: 'curated' },
      schedule,
    },
    { baseDir: '/data' },
  );

const describe_ = async (pipeline: string) => await client.schedule.getHandle(scheduleIdOf(pipeline)).describe();

test('a cron schedule reaches the server with zone, overlap, catch-up, jitter and pause-on-failure', async () => {
  const applied = await applySchedule(
    client,
    contract('nightly', {
      cron: '30 6 * * *',
      timezone: 'Europe/Berlin',
      jitter: '5m',
      pauseOnFailure: true,
      overlap: 'bufferOne',
    }),
  );
  expect(applied).toEqual({
    scheduleId: 'tidegate/nightly',
    outcome: 'created',
    schedule: 'cron 30 6 * * * (Europe/Berlin)',
    changes: [],
  });
  const { spec, action, policies } = await describe_('nightly');
  expect(spec).toMatchObject({ timezone: 'Europe/Berlin', jitter: 300_000 });
  expect(spec.calendars?.[0]).toMatchObject({ hour: [{ start: 6 }], minute: [{ start: 30 }] });
  expect(policies).toMatchObject({ overlap: 'BUFFER_ONE', catchupWindow: 86_400_000, pauseOnFailure: true });
  expect(action).toMatchObject({
    workflowType: 'incrementalRun',
    taskQueue: 'tidegate',
    workflowId: 'tidegate-run-nightly',
    args: [{ pipeline: 'nightly' }],
  });
});

test('defaults are: skip while one runs, catch up for a day', async () => {
  await applySchedule(client, contract('plain', { every: '15m' }));
  const { spec, policies } = await describe_('plain');
  expect(spec.intervals?.[0]).toMatchObject({ every: 900_000 });
  expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 86_400_000, pauseOnFailure: false });
});

test('applying again changes nothing, and a changed contract says what changed', async () => {
  await applySchedule(client, contract('edited', { every: '15m' }));
  expect(await applySchedule(client, contract('edited', { every: '15m' }))).toMatchObject({
    outcome: 'unchanged',
    changes: [],
  });
  expect(await applySchedule(client, contract('edited', { cron: '0 7 * * *' }))).toMatchObject({
    outcome: 'updated',
    schedule: 'cron 0 7 * * * (UTC)',
    changes: ['every: "15m" → null', 'cron: null → "0 7 * * *"'],
  });
  const { spec } = await describe_('edited');
  expect(spec.intervals ?? []).toEqual([]);
  expect(spec.calendars?.[0]).toMatchObject({ hour: [{ start: 7 }] });
});

test('a paused schedule stays paused, with its note, when it is applied again', async () => {
  await applySchedule(client, contract('held', { every: '1h' }));
  await client.schedule.getHandle(scheduleIdOf('held')).pause('source is being repaired');
  await applySchedule(client, contract('held', { every: '2h' }));
  expect((await describe_('held')).state).toMatchObject({ paused: true, note: 'source is being repaired' });
});

test('a contract without a schedule is refused, and says what to do', async () => {
  await expect(applySchedule(client, contract('none'))).rejects.toMatchObject({
    type: 'ContractError',
    message: expect.stringContaining('tidegate schedule delete none'),
  });
});

test('ids lead back to pipelines, and schedules of others are left alone', () => {
  expect(pipelineOf(temporalSchedule({ pipeline: 'a' }, contract('a', { every: '1h' }).schedule!).scheduleId)).toBe(
    'a',
  );
  expect(pipelineOf('somebody-else')).toBeNull();
});
