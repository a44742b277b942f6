import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { PublisherInput } from './publisher';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts a process, and resolves when it has ended, however it did. */
export function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

export function startPublisher(input: PublisherInput, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const args = ['-r', join(__dirname, 'register.js'), join(__dirname, 'publisher.ts'), JSON.stringify(input)];
  return start(process.execPath, args, env);
}
