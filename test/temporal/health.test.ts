import { execFile } from 'node:child_process';
import path from 'node:path';
import { type HealthServer, checkHealth, startHealthServer } from '../../src/temporal';

let server: HealthServer | undefined;
afterEach(() => server?.close());

test('a healthy worker answers 200 with its status', async () => {
  server = await startHealthServer({ port: 0, status: () => ({ ok: true, namespace: 'default' }) });
  expect(await checkHealth(server.port)).toEqual({ ok: true, detail: '{"ok":true,"namespace":"default"}' });
});

test('a worker that is not well is reported, with its status', async () => {
  server = await startHealthServer({ port: 0, status: () => ({ ok: false, state: 'STOPPING' }) });
  expect(await checkHealth(server.port)).toEqual({ ok: false, detail: '{"ok":false,"state":"STOPPING"}' });
});

test('a status that throws is an unhealthy worker, not a dead one', async () => {
  server = await startHealthServer({
    port: 0,
    status: () => {
      throw new Error('state unknown');
    },
  });
  expect(await checkHealth(server.port)).toMatchObject({ ok: false, detail: expect.stringContaining('state unknown') });
  expect((await checkHealth(server.port)).ok).toBe(false);
});

test('no worker is unhealthy', async () => {
  server = await startHealthServer({ port: 0, status: () => ({ ok: true }) });
  const { port } = server;
  await server.close();
  expect(await checkHealth(port)).toMatchObject({ ok: false, detail: expect.stringContaining('ECONNREFUSED') });
});

test('it is served on loopback only, at one path', async () => {
  server = await startHealthServer({ port: 0, status: () => ({ ok: true }) });
  const other = await fetch(`http://127.0.0.1:${server.port}/`);
  expect(other.status).toBe(404);
});

test('a port that is taken is an error, not a second server', async () => {
  server = await startHealthServer({ port: 0, status: () => ({ ok: true }) });
  await expect(startHealthServer({ port: server.port, status: () => ({ ok: true }) })).rejects.toThrow('EADDRINUSE');
});

describe('the container health check', () => {
  const run = (env: Record<string, string>): Promise<{ code: number; output: string }> =>
    new Promise((resolve) => {
      const script = path.join(__dirname, '..', '..', 'dist', 'healthcheck.js');
      execFile(process.execPath, [script], { env: { ...process.env, ...env } }, (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, output: stdout + stderr });
      });
    });

  test('exits 0 for a healthy worker and 1 for another', async () => {
    let ok = true;
    server = await startHealthServer({ port: 0, status: () => ({ ok }) });
    const env = { TIDEGATE_HEALTH_PORT: String(server.port) };
    expect(await run(env)).toEqual({ code: 0, output: '{"ok":true}\n' });
    ok = false;
    expect(await run(env)).toEqual({ code: 1, output: '{"ok":false}\n' });
  });

  test('names a setting that is wrong', async () => {
    expect(await run({ TIDEGATE_HEALTH_PORT: 'eighty' })).toEqual({
      code: 1,
      output: 'TIDEGATE_HEALTH_PORT must be a port, found "eighty"\n',
    });
  });
});
