import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Notice } from '../../src/notify';
import type { RunSummary } from '../../src/workflows/messages';
import { Zone } from '../support/bad-zone';
import { Installation } from '../support/installation';
import { transaction, transactions } from '../support/transactions';

/** Notices of real runs, received by a real HTTP server. */
const SECRETS = ['s3cret-path', 't0ken-in-query'];
const RECEIVER = 'TIDEGATE_TEST_RECEIVER';

/** Keeps what it is sent, and answers with `status`. */
class Receiver {
  status = 204;
  readonly notices: Notice[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        expect(request.url).toBe(`/hooks/${SECRETS[0]}?token=${SECRETS[1]}`);
        this.notices.push(JSON.parse(body) as Notice);
        response.writeHead(this.status).end();
      });
    });
  }

  static async start(): Promise<Receiver> {
    const it = new Receiver();
    await new Promise<void>((resolve) => it.#server.listen(0, '127.0.0.1', resolve));
    return it;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}/hooks/${SECRETS[0]}?token=${SECRETS[1]}`;
  }

  of(pipeline: string): Notice[] {
    return this.notices.filter((notice) => notice.pipeline === pipeline);
  }

  async stop(): Promise<void> {
    await new Promise((resolve) => {
      this.#server.close(resolve);
      this.#server.closeAllConnections();
    });
  }
}

const notifying = (variable: string) => ({ more: `notify: { webhook: { urlFrom: ${variable} } }\n` });

let it_: Installation;
let receiver: Receiver;
let lost: Receiver;

beforeAll(async () => {
  it_ = await Installation.create({}, { onDisk: true });
  [receiver, lost] = await Promise.all([Receiver.start(), Receiver.start()]);
  const { url } = lost;
  await lost.stop();
  await it_.worker({ [RECEIVER]: receiver.url, TIDEGATE_TEST_LOST: url, TIDEGATE_LOG_LEVEL: 'debug' });
}, 180_000);
afterAll(async () => {
  await receiver?.stop();
  await it_?.dispose();
});

jest.setTimeout(120_000);

test('a run that rejects nothing tells nobody', async () => {
  await Zone.published(it_, 'quiet', notifying(RECEIVER));
  expect(receiver.of('quiet')).toEqual([]);
});

test('rejected rows are told with their counts and the command to look further', async () => {
  const zone = await Zone.published(it_, 'rejecting', notifying(RECEIVER));
  zone.land('2026-05-02', [...transactions('b', 2), transaction('bad', { user_id: null, amount: -1 })]);
  const { requestId } = await zone.run();
  expect(receiver.of('rejecting')).toEqual([
    {
      formatVersion: 1,
      source: 'tidegate',
      kind: 'rejected',
      pipeline: 'rejecting',
      requestId,
      text: expect.stringContaining('rejected 1 row of 6 rows read (notNull_user_id 1, inRange_amount 1)'),
      counts: expect.objectContaining({ read: 6, published: 5, quarantined: 1 }),
      version: 2,
      failure: null,
      command: 'tidegate report rejecting --version 2',
    },
  ]);
});

test('a failed run is told with its cause', async () => {
  const zone = await Zone.published(it_, 'failing', notifying(RECEIVER));
  zone.land('2026-05-02', transactions('b', 2));
  writeFileSync(join(zone.raw, 'date=2026-05-02', 'broken.parquet'), 'no parquet');
  await zone.failure();
  expect(receiver.of('failing')).toMatchObject([
    {
      kind: 'failed',
      version: null,
      counts: null,
      failure: { type: 'UnreadableFile', message: expect.stringContaining('date=2026-05-02/broken.parquet') },
      command: 'tidegate status failing',
    },
  ]);
});

async function rejecting(pipeline: string, variable: string): Promise<RunSummary> {
  const zone = await Zone.published(it_, pipeline, notifying(variable));
  zone.land('2026-05-02', [transaction('bad', { user_id: null })]);
  return await zone.run();
}
const committed = { status: 'committed', commit: { version: 2 }, totals: { quarantined: 1 } };

test('a receiver that answers 500 is tried again, and the run commits all the same', async () => {
  receiver.status = 500;
  try {
    expect(await rejecting('refused', RECEIVER)).toMatchObject(committed);
  } finally {
    receiver.status = 204;
  }
  expect(receiver.of('refused').length).toBeGreaterThan(1);
});

test.each([
  ['a receiver that is down', 'down', 'TIDEGATE_TEST_LOST'],
  ['a variable that the worker does not have', 'unset', 'TIDEGATE_TEST_UNSET'],
])('%s fails no run', async (_what, pipeline, variable) => {
  expect(await rejecting(pipeline, variable)).toMatchObject(committed);
});

test('the URL stands in no history, no log, no report and no other file', async () => {
  const texts: [where: string, text: string][] = [['worker', it_.workers.map(({ output }) => output).join('\n')]];
  for await (const { workflowId, runId } of it_.client.workflow.list()) {
    texts.push([
      `${workflowId} ${runId}`,
      readable(await it_.client.workflow.getHandle(workflowId, runId).fetchHistory()),
    ]);
  }
  for (const file of readdirSync(it_.folder, { recursive: true, encoding: 'utf8' })) {
    if (file.endsWith('.json')) texts.push([file, readFileSync(join(it_.folder, file), 'latin1')]);
  }
  expect(existsSync(join(it_.folder, 'temporal.db'))).toBe(true);
  for (const file of ['temporal.db', 'temporal.db-wal'].filter((name) => existsSync(join(it_.folder, name)))) {
    texts.push([file, readFileSync(join(it_.folder, file), 'latin1')]);
  }
  // The search finds what is there: failures and payloads in histories, the plan's contract in files, log lines.
  const holding = (text: string): string[] => texts.filter(([, all]) => all.includes(text)).map(([where]) => where);
  expect(holding('the webhook at http://127.0.0.1')).not.toEqual([]);
  expect(holding(RECEIVER).some((where) => where.endsWith('.json'))).toBe(true);
  expect(holding('notNull_user_id').some((where) => where.startsWith('pipeline/rejecting/run/'))).toBe(true);
  expect(holding('worker started')).toEqual(['worker']);
  for (const secret of SECRETS) expect(holding(secret)).toEqual([]);
});

/** A history as text, payloads included. (As JSON they would stand in it as base64.) */
function readable(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  if (typeof value !== 'object' || value === null) return '';
  return Object.values(value).map(readable).join('\n');
}
