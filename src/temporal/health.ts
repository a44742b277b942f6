import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf } from '../errors';

/** What a worker says of itself. */
export interface HealthStatus {
  readonly ok: boolean;
  /** Anything worth showing; plain JSON, no secrets. */
  readonly [detail: string]: unknown;
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Serves `GET /healthz` on loopback: 200 while `status().ok`, else 503, with the status as JSON. Port 0 takes a free one. */
export async function startHealthServer(options: { port: number; status: () => HealthStatus }): Promise<HealthServer> {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/healthz') {
      response.writeHead(404).end();
      return;
    }
    const status = statusOf(options.status);
    response.writeHead(status.ok ? 200 : 503, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify(status)}\n`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  // Health alone never keeps a worker's process alive.
  server.unref();
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A worker that cannot say how it is, is not well. */
function statusOf(status: () => HealthStatus): HealthStatus {
  try {
    return status();
  } catch (error) {
    return { ok: false, error: messageOf(error) };
  }
}

/** Asks the worker on this host for its health; never rejects. */
export function checkHealth(port: number, timeoutMs = 3_000): Promise<{ ok: boolean; detail: string }> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/healthz', timeout: timeoutMs }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ ok: response.statusCode === 200, detail: body.trim() }));
    });
    request.on('timeout', () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    request.on('error', (error) => resolve({ ok: false, detail: error.message }));
  });
}
