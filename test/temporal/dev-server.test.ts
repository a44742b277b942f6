import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type DevServer,
  DevServerFailed,
  connect,
  loadConnectionSettings,
  resolveTool,
  startDevServer,
} from '../../src/temporal';
import { probePort } from '../../src/temporal/free-port';

const running = new Set<DevServer>();
const start = async (options: Parameters<typeof startDevServer>[0] = {}): Promise<DevServer> => {
  const server = await startDevServer({ headless: true, ...options });
  running.add(server);
  return server;
};
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'tidegate-dev-server-'));
});
afterEach(async () => {
  await Promise.all([...running].map((server) => server.kill()));
  running.clear();
  await rm(dir, { recursive: true, force: true });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function endOf(pid: number, withinMs: number): Promise<boolean> {
  for (const deadline = Date.now() + withinMs; Date.now() < deadline; await sleep(100)) if (!isAlive(pid)) return true;
  return false;
}

test('a server that has started answers for its namespace and knows its search attributes', async () => {
  const server = await start({ namespace: 'tides', searchAttributes: { TideLevel: 'Keyword' } });
  expect(server.address).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(server.uiUrl).toBeNull();
  const { connection } = await connect(
    loadConnectionSettings({ address: server.address, namespace: 'tides', env: {} }),
  );
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace: 'tides' });
  expect(Object.keys(customAttributes ?? {})).toContain('TideLevel');
  await connection.close();
});

test('the UI is served on loopback', async () => {
  const server = await start({ headless: false });
  expect(server.uiUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect((await fetch(server.uiUrl ?? '')).status).toBe(200);
});

test('stop ends the process and removes its temporary log; a second stop is harmless', async () => {
  const server = await start();
  expect(isAlive(server.pid)).toBe(true);
  await server.stop();
  expect(isAlive(server.pid)).toBe(false);
  await expect(readFile(server.logFile)).rejects.toThrow('ENOENT');
  await server.stop();
});

test('a killed server comes back on its port with its state', async () => {
  const dbFilename = path.join(dir, 'state.db');
  const first = await start({ dbFilename });
  const { connection, client } = await connect(loadConnectionSettings({ address: first.address, env: {} }));
  await client.workflow.start('anything', { taskQueue: 'nobody', workflowId: 'kept' });
  await connection.close();
  await first.kill();
  expect(await first.exited).toEqual({ code: null, signal: 'SIGKILL' });

  const second = await start({ dbFilename, port: Number(first.address.split(':')[1]) });
  expect(second.address).toBe(first.address);
  const again = await connect(loadConnectionSettings({ address: second.address, env: {} }));
  expect((await again.client.workflow.getHandle('kept').describe()).status.name).toBe('RUNNING');
  await again.connection.close();
});

describe('when it cannot start', () => {
  test('a port that is taken is named, with what to do', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const failure = start({ port });
    await expect(failure).rejects.toBeInstanceOf(DevServerFailed);
    await expect(failure).rejects.toThrow(
      `port ${port} on 127.0.0.1 is taken. Another Temporal server may be running there`,
    );
    taken.close();
  });

  test('a process that dies shows its last words', async () => {
    const binary = path.join(dir, 'temporal');
    await writeFile(binary, '#!/bin/sh\necho "unable to open database file" >&2\nexit 14\n', { mode: 0o755 });
    await expect(start({ binary })).rejects.toThrow(
      /did not come up at 127\.0\.0\.1:\d+: its process ended \(exit code 14\)[\s\S]*unable to open database file/,
    );
  });

  test('one shard may look for tasks more often than each of hundreds, unless the caller says otherwise', async () => {
    const binary = path.join(dir, 'temporal');
    await writeFile(binary, '#!/bin/sh\nexit 14\n', { mode: 0o755 });
    await expect(start({ binary })).rejects.toThrow(' history.transferProcessorMaxPollRPS=1000 ');
    await expect(
      start({ binary, dynamicConfig: { 'history.transferProcessorMaxPollRPS': 7, 'a.b': 'c' } }),
    ).rejects.toThrow(/ history\.transferProcessorMaxPollRPS=7 .* a\.b="c"/);
  });

  test('a port that another process took meanwhile costs another try; the reason is found before the stack traces', async () => {
    const real = (await resolveTool('temporal')).path;
    const binary = path.join(dir, 'temporal');
    const trace = `goroutine 1 [running]:\n${'        main.main()\n'.repeat(40)}`;
    await writeFile(path.join(dir, 'trace'), trace);
    const lines = [
      '#!/bin/sh',
      `echo >> ${dir}/starts`,
      `if [ $(wc -l < ${dir}/starts) -lt $(cat ${dir}/succeeds) ]; then`,
      '  echo "Failed to start gRPC listener: listen tcp 127.0.0.1:1: bind: address already in use"',
      `  echo "panic: nil pointer"; cat ${dir}/trace; exit 2`,
      'fi',
      `exec ${real} "$@"`,
    ];
    await writeFile(binary, lines.join('\n'), { mode: 0o755 });
    await writeFile(path.join(dir, 'succeeds'), '2');
    const port = await probePort();
    expect((await start({ binary, port })).address).toBe(`127.0.0.1:${port}`);

    await writeFile(path.join(dir, 'succeeds'), '1000');
    await expect(start({ binary })).rejects.toThrow(/address already in use\s+panic: nil pointer$/);
    expect((await readFile(path.join(dir, 'starts'), 'utf8')).length).toBe(2 + 3);
  });

  test('a process that never answers is ended', async () => {
    const binary = path.join(dir, 'temporal');
    await writeFile(binary, `#!/bin/sh\necho $$ > ${dir}/pid\nexec sleep 60\n`, { mode: 0o755 });
    await expect(start({ binary, startTimeoutMs: 500 })).rejects.toThrow(/not healthy within 0\.5 s/);
    expect(isAlive(Number(await readFile(path.join(dir, 'pid'), 'utf8')))).toBe(false);
  });

  test('a binary that cannot be run is named', async () => {
    const binary = path.join(dir, 'nothing');
    await expect(start({ binary })).rejects.toThrow(binary);
  });
});

describe('the server ends with the process that started it', () => {
  const parents = new Set<ChildProcess>();
  afterEach(() => {
    for (const parent of parents) parent.kill('SIGKILL');
    parents.clear();
  });

  /** A Node process that starts a server and prints its pid. */
  async function parentWithServer(ending: string): Promise<{ parent: ChildProcess; pid: number }> {
    const room = path.join(__dirname, '..', '..', 'dist', 'temporal');
    const program = `require(${JSON.stringify(room)}).startDevServer({ headless: true })
      .then((server) => { console.log('pid ' + server.pid); ${ending} });`;
    const parent = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    parents.add(parent);
    let output = '';
    for await (const chunk of parent.stdout) {
      output += String(chunk);
      const pid = /pid (\d+)/.exec(output)?.[1];
      if (pid !== undefined) return { parent, pid: Number(pid) };
    }
    throw new Error('the parent ended before its server was up');
  }

  test.each(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP'] as const)('when it is ended by %s', async (signal) => {
    const { parent, pid } = await parentWithServer('');
    expect(isAlive(pid)).toBe(true);
    parent.kill(signal);
    expect(await endOf(pid, 8_000)).toBe(true);
  });

  test('when it exits without stopping it', async () => {
    const { pid } = await parentWithServer('process.exit(0);');
    expect(await endOf(pid, 8_000)).toBe(true);
  });

  test('when it throws', async () => {
    const { pid } = await parentWithServer('setImmediate(() => { process.stderr.destroy(); throw new Error(); });');
    expect(await endOf(pid, 8_000)).toBe(true);
  });
});
