import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '../errors';
import type { Progress } from './progress';
import { lastLines, runCommand } from './run-command';
import { type Tool, binaryName } from './tools';

/** What it takes to put a tool's binary at `target`. */
export interface MakeRequest {
  readonly tool: Tool;
  readonly target: string;
  readonly env: NodeJS.ProcessEnv;
  readonly toolsDir: string;
  readonly progress: Progress;
  readonly signal?: AbortSignal;
  /** A download that has not grown for so long is given up. Default 20 s. */
  readonly stalledMs?: number;
}

const BUILD_MS = 20 * 60_000;
const DOWNLOAD_MS = 10 * 60_000;
const STALLED_MS = 20_000;

/**
 * Builds the tool with Go from its pinned module (`tools/<name>`, checksums in its go.sum).
 * @throws Error whose message is Go's own last lines.
 */
export async function buildTool({ tool, target, env, toolsDir, progress, signal }: MakeRequest): Promise<void> {
  await installAtomically(target, async (scratch) => {
    const file = path.join(scratch, binaryName(tool));
    const cwd = path.join(toolsDir, tool.name);
    const args = ['build', '-v', '-mod=readonly', '-buildvcs=false', '-ldflags', tool.ldflags, '-o', file];
    const result = await runCommand('go', [...args, tool.goPackage], {
      cwd,
      // A workspace or flags of the folder's surroundings must not change what is built.
      env: { ...env, GOWORK: 'off', GOFLAGS: '' },
      signal,
      timeoutMs: BUILD_MS,
      onLine: (line) => progress.note(line),
    }).catch(async (error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
      const moduleIsThere = await stat(cwd).then(
        () => true,
        () => false,
      );
      throw new Error(moduleIsThere ? 'Go is not on the PATH' : `the pinned module is missing at ${cwd}`);
    });
    if (result.code !== 0) throw new Error(`go build failed\n${lastLines(result.output)}`);
    return file;
  });
}

/**
 * Lets the Temporal SDK download the tool. It runs in a process of its own, so that a download that
 * has stalled inside the SDK's native code can be ended.
 */
export async function downloadTool(request: MakeRequest): Promise<void> {
  const { tool, target, env, progress, signal, stalledMs = STALLED_MS } = request;
  await installAtomically(target, async (scratch) => {
    const stalled = new AbortController();
    const watch = watchGrowth(scratch, stalledMs, stalled, (bytes) => progress.note(`${Math.round(bytes / 1e6)} MB`));
    try {
      const either = signal ? AbortSignal.any([signal, stalled.signal]) : stalled.signal;
      const result = await runCommand(process.execPath, ['-e', DOWNLOAD_SCRIPT, scratch, `v${tool.version}`], {
        cwd: __dirname,
        env,
        signal: either,
        timeoutMs: DOWNLOAD_MS,
      });
      const files = await readdir(scratch);
      const file = files.find((name) => name.startsWith(tool.name) && !name.endsWith('.downloading'));
      if (file === undefined) throw new Error(readableDownloadError(result.output));
      return path.join(scratch, file);
    } finally {
      clearInterval(watch);
    }
  });
}

/** The SDK downloads only on the way to starting a server, so one is started and stopped. */
const DOWNLOAD_SCRIPT = `
const { Runtime, DefaultLogger } = require('@temporalio/worker');
const { TestWorkflowEnvironment } = require('@temporalio/testing');
Runtime.install({ logger: new DefaultLogger('ERROR', () => {}) });
const [downloadDir, version] = process.argv.slice(1);
TestWorkflowEnvironment.createLocal({ server: { executable: { type: 'cached-download', downloadDir, version } } })
  .then((server) => server.teardown())
  .then(() => process.exit(0), (error) => { console.error(String(error.message)); process.exit(1); });
`;

function watchGrowth(
  folder: string,
  stalledMs: number,
  stalled: AbortController,
  onGrowth: (bytes: number) => void,
): NodeJS.Timeout {
  let bytes = -1;
  let grewAt = Date.now();
  return setInterval(() => {
    void sizeOf(folder).then((now) => {
      if (now > bytes) {
        bytes = now;
        grewAt = Date.now();
        if (bytes > 0) onGrowth(bytes);
      } else if (Date.now() - grewAt > stalledMs) {
        stalled.abort(new Error(`nothing came for ${stalledMs / 1000} s (no internet access?)`));
      }
    });
  }, 500);
}

async function sizeOf(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(
    names.map(async (name) => (await stat(path.join(folder, name)).catch(() => ({ size: 0 }))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

function readableDownloadError(output: string): string {
  const line = output.split('\n').findLast((text) => text.trim() !== '');
  return `the download failed (no internet access?): ${line?.trim().slice(0, 300) ?? 'no message'}`;
}

/** Makes a file in a scratch folder beside `target` and renames it there whole. */
async function installAtomically(target: string, make: (scratch: string) => Promise<string>): Promise<void> {
  const scratch = `${path.dirname(target)}.${randomUUID()}.tmp`;
  await mkdir(scratch, { recursive: true });
  try {
    const file = await make(scratch);
    await chmod(file, 0o755);
    await mkdir(path.dirname(target), { recursive: true });
    await rename(file, target);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
