import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pl from 'nodejs-polars';
import type { Contract } from '../../src/contract/contract';
import type { PlannedPartition } from '../../src/discovery/plan-types';
import { type Engine, engineHere } from '../../src/engine';
import type { ResolveTableInput, TransformInput } from '../../src/engine/inputs';
import { TerminalError } from '../../src/errors';
import { contractOf, int64, newFolder, planOf, stagedPath, text } from './support';

/** Threads load what is compiled; the command that runs the tests compiles it first. */
const COMPILED = join(__dirname, '..', '..', 'dist', 'engine', 'threads', 'engine-in-threads.js');
const { EngineInThreads } = require(COMPILED) as { EngineInThreads: new () => Engine };

const inThreads = new EngineInThreads();
afterAll(() => inThreads.close());

/** Enough rows for indexes to be made in two threads. */
const ROWS = 70_000;
const DATES = ['2026-01-01', '2026-01-02', '2026-01-03'];

async function zone(
  scope: 'partition' | 'table' | 'window',
): Promise<{ contract: Contract; plan: PlannedPartition[] }> {
  const contract = contractOf(newFolder('threads'), {
    columns: [int64('id'), int64('at'), text('receipt')],
    scope,
    gates: [{ kind: 'unique', name: 'receipt', columns: ['receipt'], scope: scope === 'table' ? 'table' : scope }],
  });
  const paths = DATES.map((date) => `date=${date}/a.parquet`);
  for (const [day, path] of paths.entries()) {
    const full = join(contract.source.path, path);
    mkdirSync(dirname(full), { recursive: true });
    // Every tenth key comes again on the next day, every hundredth receipt twice.
    const ids = Array.from({ length: ROWS }, (_, row) => (row % 10 === 0 ? row : day * ROWS + row));
    pl.DataFrame({
      id: ids,
      at: ids.map((id) => id + day),
      receipt: ids.map((id, row) => (row % 100 === 1 ? `r${id - 1}` : `r${id}`)),
    })
      .withColumns(pl.col('id').cast(pl.Int64), pl.col('at').cast(pl.Int64))
      .writeParquet(full);
  }
  const planned = await planOf(contract, paths);
  const plan = planned.map((partition) => ({
    ...partition,
    fingerprint: createHash('sha256').update(partition.date).digest('hex'),
  }));
  return { contract, plan };
}

function tableInput(contract: Contract, partitions: readonly PlannedPartition[], name: string): ResolveTableInput {
  const root = join(contract.publish.path, name);
  mkdirSync(root, { recursive: true });
  return {
    contract,
    sourceRoot: contract.source.path,
    partitions,
    removed: [],
    committed: { partitions: new Map(), root },
    tableRoot: root,
    outputRoot: root,
    outputPath: stagedPath,
    run: 'run',
    attempt: 'attempt',
    staging: join(root, '_staging'),
    scratch: join(root, '_scratch'),
    indexes: { folder: '_index', cache: join(root, 'cache'), overlay: null },
  };
}

const transformInputs = (contract: Contract, plan: readonly PlannedPartition[], name: string): TransformInput[] =>
  plan.map((partition) => ({
    contract,
    sourceRoot: contract.source.path,
    partition,
    resolution: null,
    resolutionDir: contract.publish.path,
    tableRoot: join(contract.publish.path, name),
    outputPath: stagedPath,
    run: 'run',
    attempt: 'attempt',
  }));

test('threads transform as this thread does, and tell how far they are', async () => {
  const { contract, plan } = await zone('partition');
  const done: unknown[] = [];
  const [here, there] = [
    await engineHere.transformPartitions(transformInputs(contract, plan, 'here'), {}),
    await inThreads.transformPartitions(transformInputs(contract, plan, 'there'), {
      onProgress: (progress) => done.push(progress),
    }),
  ];
  // Digests of the files among them.
  expect(there).toEqual(here);
  expect(here.map(({ curated }) => curated.length)).toEqual([1, 1, 1]);
  expect(done).toEqual(DATES.map((date) => ({ phase: 'transforming', done: ROWS, total: ROWS, date })));
});

test.each(['window', 'table'] as const)('threads resolve scope %s as this thread does', async (scope) => {
  const { contract, plan } = await zone(scope);
  const resolved = async (engine: Engine, name: string): Promise<unknown> => {
    if (scope === 'table') return engine.resolveTable(tableInput(contract, plan, name), {});
    const directory = join(contract.publish.path, name);
    const input = { contract, sourceRoot: contract.source.path, partitions: plan, directory };
    const found = await engine.resolve(input, {});
    // Row sets are named afresh each time.
    return found.map(({ rowSets, ...rest }) => ({ ...rest, sets: readFileSync(join(directory, rowSets!), 'hex') }));
  };
  const there = await resolved(inThreads, 'there');
  expect(there).toEqual(await resolved(engineHere, 'here'));
  if (scope === 'table') {
    const indexes = (name: string): string[] =>
      execFileSync('find', ['.', '-name', '*.idx', '-exec', 'sha256sum', '{}', ';'], {
        cwd: join(contract.publish.path, name, '_index'),
        encoding: 'utf8',
      })
        .trim()
        .split('\n')
        .toSorted();
    expect(indexes('there')).toHaveLength(DATES.length);
    expect(indexes('there')).toEqual(indexes('here'));
  }
});

test('an error keeps its kind, from whichever thread it comes', async () => {
  const { contract, plan } = await zone('table');
  const missing = join(contract.source.path, plan[1]!.files[0]!.path);
  rmSync(missing);
  for (const engine of [engineHere, inThreads]) {
    const name = engine === inThreads ? 'there' : 'here';
    const tasks = [
      engine.transformPartitions(transformInputs(contract, plan, name), {}),
      engine.resolveTable(tableInput(contract, plan, `${name}-table`), {}),
    ];
    for (const ended of await Promise.allSettled(tasks)) {
      // As jest loads modules, the class of the compiled one is another.
      expect(ended).toMatchObject({ status: 'rejected', reason: { name: 'VoidPlan' } });
      expect(String((ended as PromiseRejectedResult).reason)).toContain(plan[1]!.files[0]!.path);
    }
  }
});

test('what cannot name an output fails, and says why', async () => {
  const { contract, plan } = await zone('partition');
  const inputs = transformInputs(contract, plan, 'there').map((input) => ({
    ...input,
    outputPath: (): string => {
      throw new TerminalError('TargetError', 'no more names');
    },
  }));
  await expect(inThreads.transformPartitions(inputs, {})).rejects.toMatchObject({ message: 'no more names' });
});

test('a task that is cancelled ends with the reason, and its thread goes on to others', async () => {
  const { contract, plan } = await zone('partition');
  const [before, during] = [new AbortController(), new AbortController()];
  before.abort(new Error('not wanted'));
  const inputs = transformInputs(contract, plan, 'cancelled');
  await expect(inThreads.transformPartitions(inputs, { signal: before.signal })).rejects.toThrow('not wanted');
  const cancelled = inThreads.transformPartitions(inputs, {
    signal: during.signal,
    onProgress: () => during.abort(new Error('no longer wanted')),
  });
  await expect(cancelled).rejects.toThrow('no longer wanted');
  const again = await inThreads.transformPartitions(transformInputs(contract, plan, 'again'), {});
  expect(again.map(({ date }) => date)).toEqual(DATES);
});

test('a thread that dies fails its task; the next one gets another', async () => {
  const { contract, plan } = await zone('partition');
  const script = `
    const threads = [];
    const workerThreads = require('node:worker_threads');
    workerThreads.Worker = class extends workerThreads.Worker {
      constructor(...options) {
        super(...options);
        threads.push(this);
      }
    };
    const { EngineInThreads } = require(process.argv[1]);
    const [inputs] = JSON.parse(process.argv[2]).map((some) => some.map((input) => ({ ...input,
      outputPath: ({ kind, date }) => kind + '/' + date + '/' + (failed ? 'again' : 'first') + '.parquet' })));
    let failed = false;
    (async () => {
      const engine = new EngineInThreads();
      await engine.start();
      const dying = engine.transformPartitions(inputs, {}).catch((error) => error.message);
      for (const thread of threads) await thread.terminate();
      console.log(await dying);
      failed = true;
      console.log((await engine.transformPartitions(inputs, {})).length);
      // Nothing is closed: idle threads must not keep the process.
    })();
  `;
  const inputs = JSON.stringify([transformInputs(contract, plan, 'dying')]);
  const said = execFileSync(process.execPath, ['-e', script, COMPILED, inputs], { encoding: 'utf8', timeout: 60_000 });
  expect(said.trim().split('\n')).toEqual([expect.stringContaining('engine thread'), '3']);
});

test('a thread loads the engine and nothing else: what it loads, every collection of garbage goes through', () => {
  const script = `require(process.argv[1]); console.log(JSON.stringify(Object.keys(require.cache)));`;
  const thread = join(dirname(COMPILED), 'thread.js');
  const loaded = JSON.parse(execFileSync(process.execPath, ['-e', script, thread], { encoding: 'utf8' })) as string[];
  const packages = loaded.map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]);
  const own = [
    'nodejs-polars',
    expect.stringMatching(/^nodejs-polars-/),
    '@js-temporal/polyfill',
    'jsbi',
    'canonicalize',
  ];
  for (const name of new Set(packages)) if (name !== undefined) expect(own).toContainEqual(name);
});
