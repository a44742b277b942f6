import { type IncomingMessage, type ServerResponse, createServer, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a request or its reply can suffer on the way. */
export type Fault =
  /** The connection ends before the request reaches the server. */
  | 'drop request'
  /** The server does the work, and the connection ends before its reply. */
  | 'drop reply'
  /** The server gets half of the request's body. */
  | 'truncate request'
  /** Half of the reply's body arrives. */
  | 'truncate reply'
  /** The server gets the request twice; the second reply is passed on. */
  | 'duplicate request'
  /** The reply comes 300 ms later. */
  | 'delay'
  | 'throttle'
  /** 409, as AWS answers while another conditional write is under way. */
  | 'conflict'
  | 'not implemented'
  | 'internal error'
  /** 403, with a body that tells the access key, as AWS does for an unknown one. */
  | 'deny';

export interface Passed {
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
}

export interface S3Proxy {
  readonly port: number;
  /** Every request that arrived, oldest first, with what was done to it. */
  readonly seen: readonly (Passed & { readonly fault: Fault | null })[];
  /** Decides what each request suffers; null: nothing. */
  onRequest: (passed: Passed) => Fault | null;
  /** Takes a header off every request, as a store does that does not know it. */
  ignoreHeader: string | null;
  close(): Promise<void>;
}

const DELAY_MS = 300;

/** A proxy on the loopback before an S3 server. The `Host` that was signed is passed on. */
export async function startS3Proxy(target: number): Promise<S3Proxy> {
  const seen: (Passed & { fault: Fault | null })[] = [];
  const server = createServer((incoming, outgoing) => {
    const passed = { method: incoming.method ?? '', url: incoming.url ?? '', headers: incoming.headers };
    const fault = proxy.onRequest(passed);
    seen.push({ ...passed, fault });
    handle(incoming, outgoing, fault).catch(() => incoming.socket.destroy());
  });

  async function handle(incoming: IncomingMessage, outgoing: ServerResponse, fault: Fault | null): Promise<void> {
    const body = await bodyOf(incoming);
    const canned = fault === null ? undefined : CANNED[fault];
    if (canned !== undefined) {
      outgoing.writeHead(canned.status, { 'content-type': 'application/xml' }).end(canned.body);
      return;
    }
    if (fault === 'drop request') return void incoming.socket.destroy();
    if (fault === 'truncate request') {
      await forward(incoming, body.subarray(0, body.length >> 1), body.length > 1).catch(() => {});
      return void incoming.socket.destroy();
    }
    if (fault === 'duplicate request') await forward(incoming, body);
    const reply = await forward(incoming, body);
    if (fault === 'drop reply') return void incoming.socket.destroy();
    if (fault === 'delay') await sleep(DELAY_MS);
    outgoing.writeHead(reply.status, reply.headers);
    if (fault !== 'truncate reply') return void outgoing.end(reply.body);
    outgoing.write(reply.body.subarray(0, reply.body.length >> 1), () => setImmediate(() => incoming.socket.destroy()));
  }

  async function forward(incoming: IncomingMessage, body: Buffer, hangUp = false): Promise<Reply> {
    const headers = { ...incoming.headers };
    if (proxy.ignoreHeader !== null) delete headers[proxy.ignoreHeader];
    return new Promise((resolve, reject) => {
      const onward = request(
        { host: '127.0.0.1', port: target, method: incoming.method, path: incoming.url, headers, agent: false },
        (response) => {
          bodyOf(response).then(
            (whole) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: whole }),
            reject,
          );
        },
      );
      onward.once('error', reject);
      if (hangUp) onward.write(body, () => onward.destroy());
      else onward.end(body);
    });
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const proxy: S3Proxy = {
    port: address.port,
    seen,
    onRequest: () => null,
    ignoreHeader: null,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return proxy;
}

interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const error = (code: string, more = ''): string =>
  `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code} by the proxy</Message>${more}</Error>`;

const CANNED: Partial<Record<Fault, { readonly status: number; readonly body: string }>> = {
  throttle: { status: 503, body: error('SlowDown') },
  conflict: { status: 409, body: error('ConditionalRequestConflict') },
  'not implemented': { status: 501, body: error('NotImplemented') },
  'internal error': { status: 500, body: error('InternalError') },
  deny: { status: 403, body: error('AccessDenied', '<AWSAccessKeyId>AKIATIDEGATETESTKEY1</AWSAccessKeyId>') },
};
