import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pythonPath } from '../../scripts/test-python';

/**
 * Runs scripts one after another, each in names of its own: a line of JSON in, a line of JSON out. One
 * process serves a test file, as importing the packages takes longer than most scripts.
 */
const SERVER = `
import contextlib, json, sys, traceback
out = sys.stdout
for line in sys.stdin:
    task = json.loads(line)
    try:
        names = {'__name__': 'script', 'input': task['input']}
        with contextlib.redirect_stdout(sys.stderr):
            exec(compile(task['script'], task['name'], 'exec'), names)
        answer = {'ok': names.get('output')}
        text = json.dumps(answer, allow_nan=False)
    except BaseException:
        text = json.dumps({'error': traceback.format_exc()})
    out.write(text + '\\n')
    out.flush()
`;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface Interpreter {
  readonly process: ChildProcessWithoutNullStreams;
  readonly waiting: Waiting[];
}

/** By the folder put before the interpreter's own packages. */
const servers = new Map<string, Interpreter>();

/**
 * Runs a Python script with polars, duckdb, pyarrow and deltalake at hand. It finds its argument in
 * `input` and leaves its result in `output`; both are JSON. Rejects with Python's traceback.
 */
export async function python<T>(script: string, input: unknown = null, name = 'script', packages = ''): Promise<T> {
  const { process: child, waiting } = servers.get(packages) ?? start(packages);
  return new Promise<T>((resolve, reject) => {
    waiting.push({ resolve: resolve as (value: unknown) => void, reject });
    child.stdin.write(`${JSON.stringify({ script, input, name })}\n`);
  });
}

/** Like {@link python}, for a script in this folder. */
export async function pythonFile<T>(file: string, input: unknown): Promise<T> {
  return python<T>(readFileSync(join(__dirname, file), 'utf8'), input, file);
}

function start(packages: string): Interpreter {
  const env = packages === '' ? process.env : { ...process.env, PYTHONPATH: packages };
  const child = spawn(pythonPath(), ['-u', '-c', SERVER], { stdio: ['pipe', 'pipe', 'pipe'], env });
  const waiting: Waiting[] = [];
  servers.set(packages, { process: child, waiting });
  let errors = '';
  child.stderr.on('data', (data: Buffer) => {
    errors = (errors + data.toString()).slice(-10_000);
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { resolve, reject } = waiting.shift()!;
    const answer = JSON.parse(line) as { ok?: unknown; error?: string };
    if (answer.error === undefined) resolve(answer.ok);
    else reject(new Error(answer.error));
  });
  const fail = (why: string): void => {
    servers.delete(packages);
    for (const { reject } of waiting.splice(0)) reject(new Error(`Python ended: ${why}\n${errors}`));
  };
  child.on('error', (error) => fail(error.message));
  child.on('exit', (code, signal) => fail(`exit ${code ?? signal}`));
  child.stdin.on('error', () => {});
  return servers.get(packages)!;
}

// Jest gives every test file its own copy of this module, and so its own processes.
if (typeof afterAll === 'function') {
  afterAll(() => {
    for (const server of servers.values()) server.process.stdin.end();
    servers.clear();
  });
}
