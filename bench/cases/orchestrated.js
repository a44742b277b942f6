'use strict';
/** Server, workers and client for one measurement; see orchestration.js. */
const { mkdirSync, mkdtempSync, rmSync, copyFileSync, existsSync } = require('node:fs');
const { join } = require('node:path');
const { Client, Connection } = require('@temporalio/client');
const { NativeConnection } = require('@temporalio/worker');
const pl = require('nodejs-polars').default;
const { contractsFrom, definePipeline } = require('../../dist/contract');
const { createWorkers } = require('../../dist/create-workers');
const { startDevServer } = require('../../dist/temporal');
const { sourceContract } = require('../lib/contract');
const { dateOf } = require('../lib/data');
const { median } = require('../lib/measure');
const { makeZone } = require('../lib/data');

const PIPELINE = 'bench';
const ROWS = 100;

/** Runs `work(execute)` with a server and workers that serve `contract`. */
async function served(contract, work) {
  const server = await startDevServer({ headless: true });
  const connection = await Connection.connect({ address: server.address });
  const native = await NativeConnection.connect({ address: server.address });
  const workers = await createWorkers({
    connection: native,
    namespace: 'default',
    contracts: contractsFrom([contract]),
  });
  const running = workers.run();
  const client = new Client({ connection });
  let number = 0;
  const execute = async (type, input = {}) => {
    const started = performance.now();
    const result = await client.workflow.execute(type, {
      workflowId: `bench-${(number += 1)}`,
      taskQueue: 'tidegate',
      args: [{ pipeline: PIPELINE, ...input }],
    });
    return { result, ms: performance.now() - started };
  };
  try {
    return await work(execute);
  } finally {
    workers.shutdown();
    await running;
    await native.close();
    await connection.close();
    await server.stop();
  }
}

const expectStatus = (status, expected) => {
  if (status !== expected) throw new Error(`expected a run that is ${expected}, not ${status}`);
};

/** A new day lands before every run. */
async function tiny({ folder, cache, runs }) {
  const raw = await makeZone(cache, join(folder, 'raw'), 1, ROWS);
  const contract = definePipeline(sourceContract({ raw, out: join(folder, 'table'), scope: 'partition' }));
  const file = 'part-0.parquet';
  return served(contract, async (execute) => {
    const times = [];
    const warm = 3;
    for (let n = 0; n < warm + runs; n += 1) {
      if (n > 0) {
        const next = join(raw, `date=${dateOf(n)}`);
        mkdirSync(next);
        copyFileSync(join(raw, `date=${dateOf(0)}`, file), join(next, file));
      }
      const { result, ms } = await execute('incrementalRun');
      expectStatus(result.status, 'committed');
      if (n >= warm) times.push(ms);
    }
    return { median: median(times), best: Math.min(...times), worst: Math.max(...times), times };
  });
}

/** The same day again and again, as many commits. */
async function backfills({ folder, cache, requests }) {
  const raw = await makeZone(cache, join(folder, 'raw'), 1, ROWS);
  const contract = definePipeline(sourceContract({ raw, out: join(folder, 'table'), scope: 'partition' }));
  return served(contract, async (execute) => {
    expectStatus((await execute('incrementalRun')).result.status, 'committed');
    const times = [];
    for (let n = 0; n < requests; n += 1) {
      const { result, ms } = await execute('backfill', { from: dateOf(0), to: dateOf(0) });
      expectStatus(result.chunks[0].status, 'committed');
      times.push(ms);
    }
    const tenth = Math.max(1, Math.floor(times.length / 10));
    return { first: median(times.slice(0, tenth)), last: median(times.slice(-tenth)), median: median(times), times };
  });
}

/** The table is made once and kept, as making it takes minutes. */
async function nothing({ cache, partitions, runs }) {
  const folder = join(cache, `nothing-${partitions}`);
  const made = join(folder, 'made');
  if (!existsSync(made)) {
    rmSync(folder, { recursive: true, force: true });
    const day = join(folder, 'day.parquet');
    mkdirSync(folder, { recursive: true });
    await smallDay(day);
    for (let n = 0; n < partitions; n += 1) {
      const target = join(folder, 'raw', `date=${dateOf(n - partitions)}`);
      mkdirSync(target, { recursive: true });
      copyFileSync(day, join(target, 'part-0.parquet'));
    }
  }
  const contract = definePipeline({
    pipeline: PIPELINE,
    source: { path: join(folder, 'raw') },
    columns: { id: 'int64', at: 'timestamp[us]' },
    incremental: { lookback: partitions },
    deduplicate: { primaryKey: 'id', orderBy: 'at', scope: 'partition' },
    publish: { path: join(folder, 'table') },
  });
  return served(contract, async (execute) => {
    if (!existsSync(made)) {
      expectStatus((await execute('incrementalRun')).result.status, 'committed');
      mkdirSync(made);
    }
    const times = [];
    for (let n = 0; n <= runs; n += 1) {
      const { result, ms } = await execute('incrementalRun');
      expectStatus(result.status, 'nothing');
      if (n > 0) times.push(ms);
    }
    return { median: median(times), times };
  });
}

async function smallDay(path) {
  const at = pl.Series('at', [new Date(0)]).cast(pl.Datetime('us'));
  await pl
    .DataFrame([pl.Series('id', [1n], pl.Int64), at])
    .lazy()
    .sinkParquet(path)
    .collect();
}

async function main() {
  const { what, cache, ...task } = JSON.parse(process.argv[2]);
  const folder = mkdtempSync(join(cache, 'orchestrated-'));
  try {
    const found = await { tiny, backfills, nothing }[what]({ folder, cache, ...task });
    console.log(JSON.stringify({ found }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
