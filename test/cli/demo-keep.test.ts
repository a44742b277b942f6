import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { tidegate } from './support/tidegate';

const MAIN = path.join(__dirname, '../../dist/cli/main.js');

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'tidegate-demo-keep-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Processes that inherited this mark, directly or not. */
function marked(mark: string): string[] {
  const ids = existsSync('/proc/self/environ') ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : [];
  return ids.filter((id) => {
    try {
      return readFileSync(`/proc/${id}/environ`, 'latin1').includes(mark);
    } catch {
      // It has ended meanwhile.
      return false;
    }
  });
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function listens(address: string): Promise<boolean> {
  const [host = '', port] = address.split(':');
  return await new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

test('kept, the demo leaves a server, a web UI and a worker that answer, until Ctrl-C ends them all', async () => {
  const mark = `TIDEGATE_DEMO_TEST=${path.basename(dir)}`;
  const [name = '', value] = mark.split('=');
  const demo = spawn(process.execPath, [MAIN, 'demo', '--keep', '--dir', dir], {
    env: { ...process.env, [name]: value },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [demo.stdout, demo.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    demo.once('close', (code, signal) => resolve({ code, signal }));
  });
  try {
    const kept = /^Temporal at (\S+), web UI at (\S+), and a worker are running\. Ctrl-C stops them\.$/m;
    while (!kept.test(output) && demo.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 50));
    const [, address = '', ui = ''] = kept.exec(output) ?? [];
    expect({ output, address }).toEqual({
      output: expect.any(String),
      address: expect.stringMatching(/^127\.0\.0\.1:/),
    });

    const env = { TEMPORAL_ADDRESS: address };
    const contract = path.join(dir, 'pipelines/transactions.yaml');
    const status = await tidegate(['status', contract, '--json'], { env });
    expect(JSON.parse(status.stdout)).toMatchObject({
      table: { version: 4, watermark: '2026-05-11' },
      temporal: { address, note: null, state: { version: 4, running: null } },
    });
    const run = await tidegate(['run', contract, '--json'], { env });
    expect(JSON.parse(run.stdout)).toMatchObject({ status: 'nothing', commit: null });
    expect((await fetch(ui)).status).toBe(200);

    const worker = Number(/comes back, as process (\d+)/.exec(output)?.[1]);
    expect(alive(worker)).toBe(true);
    demo.kill('SIGINT');
    expect(await exited).toEqual({ code: 0, signal: null });
    expect(output).toContain('Stopping server and worker.');
    expect(alive(worker)).toBe(false);
    expect(await listens(address)).toBe(false);
    expect(marked(mark)).toEqual([]);
  } finally {
    demo.kill('SIGKILL');
    await exited;
  }
}, 120_000);
