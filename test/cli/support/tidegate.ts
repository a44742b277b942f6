import { spawn } from 'node:child_process';
import path from 'node:path';

const MAIN = path.join(__dirname, '../../../dist/cli/main.js');

export interface Outcome {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line as built, run as a user would. `interrupt`: sends Ctrl-C once stderr holds this text. */
export async function tidegate(
  args: readonly string[],
  options: {
    readonly env?: Record<string, string | undefined>;
    readonly cwd?: string;
    readonly interrupt?: string;
  } = {},
): Promise<Outcome> {
  const { NO_COLOR: _, FORCE_COLOR: __, TIDEGATE_PIPELINES: ___, ...inherited } = process.env;
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: options.cwd,
    // Nothing listens at port 1: a test that means a server says so.
    // CI: some libraries take it for a reason to colour what is no terminal.
    env: { ...inherited, CI: 'true', TEMPORAL_ADDRESS: '127.0.0.1:1', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  let interrupted = false;
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    if (options.interrupt !== undefined && !interrupted && stderr.includes(options.interrupt)) {
      interrupted = true;
      child.kill('SIGINT');
    }
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, stdout, stderr };
}
