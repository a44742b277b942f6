import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { postWebhook } from '../../src/notify';

interface Received {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly authorization: string | undefined;
  readonly body: string;
}

const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(
    servers.splice(0).map(
      (server) =>
        new Promise((resolve) => {
          server.close(resolve);
          server.closeAllConnections();
        }),
    ),
  );
});

/** A receiver on loopback that keeps what it was sent. */
async function receiver(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ origin: string; received: Received[] }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const { method, url, headers } = request;
      received.push({ method, url, authorization: headers.authorization, body });
      answer(request, response);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

const answering =
  (status: number, headers: Record<string, string> = {}) =>
  (_: IncomingMessage, response: ServerResponse): void =>
    void response.writeHead(status, headers).end('body');

test('the message arrives as JSON, once', async () => {
  const { origin, received } = await receiver(answering(204));
  await postWebhook({ url: `${origin}/hook?token=s3cret`, body: { text: 'hé' } });
  expect(received).toEqual([
    { method: 'POST', url: '/hook?token=s3cret', authorization: undefined, body: '{"text":"hé"}' },
  ]);
});

test('credentials in the URL are sent as a header', async () => {
  const { origin, received } = await receiver(answering(200));
  await postWebhook({ url: origin.replace('http://', 'http://me:p%40ss@'), body: {} });
  expect(received[0]?.authorization).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`);
});

test.each([
  [404, 'TerminalError'],
  [400, 'TerminalError'],
  [302, 'TerminalError'],
  [429, 'Error'],
  [408, 'Error'],
  [500, 'Error'],
  [503, 'Error'],
])('an answer %d is a %s that names the origin and no more of the URL', async (status, name) => {
  const { origin } = await receiver(answering(status));
  await expect(postWebhook({ url: `${origin}/services/s3cret`, body: {} })).rejects.toMatchObject({
    name,
    message: `the webhook at ${origin} answered ${status}`,
  });
});

test('a redirect within the origin is followed, with the message', async () => {
  const { origin, received } = await receiver((request, response) =>
    answering(request.url === '/new' ? 200 : 307, { location: '/new' })(request, response),
  );
  await postWebhook({ url: `${origin}/old`, body: { a: 1 } });
  expect(received.map(({ method, url, body }) => [method, url, body])).toEqual([
    ['POST', '/old', '{"a":1}'],
    ['POST', '/new', '{"a":1}'],
  ]);
});

test('a redirect elsewhere is refused, and nothing is sent there', async () => {
  const elsewhere = await receiver(answering(200));
  const { origin } = await receiver(answering(307, { location: `${elsewhere.origin}/x?secret=1` }));
  await expect(postWebhook({ url: `${origin}/hook/s3cret`, body: {} })).rejects.toMatchObject({
    type: 'RequestError',
    message: `the webhook at ${origin} redirects elsewhere (${elsewhere.origin}); only redirects within one origin are followed`,
  });
  expect(elsewhere.received).toEqual([]);
});

test('redirects in circles end', async () => {
  const { origin, received } = await receiver(answering(308, { location: '/' }));
  await expect(postWebhook({ url: origin, body: {} })).rejects.toThrow('redirects in circles');
  expect(received).toHaveLength(4);
});

test('a receiver that does not answer is given up in time, without naming the secret', async () => {
  const { origin } = await receiver(() => {});
  await expect(postWebhook({ url: `${origin}/s3cret`, body: {}, timeoutMs: 100 })).rejects.toThrow(
    new Error(`the webhook at ${origin} did not answer within 0.1 s`),
  );
});

test('a receiver that is not there is a failure worth retrying, with its cause', async () => {
  const error = await postWebhook({ url: 'http://127.0.0.1:1/s3cret', body: {} }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: 'Error' });
  expect(String((error as Error).stack)).not.toContain('s3cret');
  expect((error as Error).message).toContain('the webhook at http://127.0.0.1:1');
  expect((error as Error).cause).toBeUndefined();
});

test('a cancelled activity stops waiting, with its own reason', async () => {
  const { origin } = await receiver(() => {});
  const abort = new AbortController();
  const posting = postWebhook({ url: origin, body: {}, signal: abort.signal });
  const reason = new Error('cancelled');
  setTimeout(() => abort.abort(reason), 50);
  await expect(posting).rejects.toBe(reason);
});

test.each(['', 'not a url', 'file:///etc/passwd', 'ftp://host/s3cret'])(
  '%j is refused without being shown',
  async (url) => {
    await expect(postWebhook({ url, body: {} })).rejects.toMatchObject({
      type: 'ContractError',
      message: 'the webhook URL is not an http or https URL (its value is not shown)',
    });
  },
);
