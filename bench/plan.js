'use strict';
// Listing and planning a raw zone of many daily partitions, of which the last few are in the window.
// Usage: npm run bench:plan [-- partitions [filesPerPartition]]
const { copyFile, mkdir, mkdtemp, rm } = require('node:fs/promises');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { performance } = require('node:perf_hooks');
const pl = require('nodejs-polars');
const { definePipeline, resolutionDigest, rowsDigest } = require('../dist/contract');
const {
  addDays,
  discover,
  fingerprint,
  listSource,
  makePlan,
  planDigest,
  selectPartitions,
} = require('../dist/discovery');
const { localStore } = require('../dist/storage');

const partitions = Number(process.argv[2] ?? 10_000);
const filesEach = Number(process.argv[3] ?? 1);
const rounds = 5;

async function main() {
  const root = await mkdtemp(join(tmpdir(), 'tidegate-bench-plan-'));
  try {
    await makeZone(root);
    const contract = definePipeline({
      pipeline: 'bench',
      source: { path: root },
      columns: { id: 'int64', at: 'timestamp[us]' },
      deduplicate: { primaryKey: ['id'], orderBy: ['at'], scope: 'window' },
      publish: { path: join(tmpdir(), 'tidegate-bench-plan-out') },
    });
    const store = localStore(root);
    const digests = { resolution: resolutionDigest(contract), rows: rowsDigest(contract) };
    const listing = await listSource(store, contract);
    const watermark = addDays(FIRST, partitions - 2);
    const state = {
      version: 1,
      watermark,
      commit: { digests },
      partitions: new Map(
        listing.partitions
          .slice(0, -1)
          .map(({ date, files }) => [date, { fingerprint: fingerprint(files), rowsDigest: digests.rows }]),
      ),
    };
    const input = { contract, digests, scope: { kind: 'incremental' }, state, today: addDays(watermark, 1) };
    console.log(
      `${partitions} partitions of ${filesEach} file(s), all but one published; ${rounds} rounds, milliseconds`,
    );
    await measure('list (names and stat)', () => listSource(store, contract));
    await measure('select', async () => selectPartitions({ ...input, listing }));
    await measure('plan and digest', async () => planDigest(makePlan({ ...input, listing, rowsOf: () => 1 })));
    await measure('all: list, select, footers of the selected, plan', async () => {
      const plan = await discover({ ...input, store });
      if (plan.partitions.length !== 5 || plan.left.length !== partitions - 5) throw new Error('an unexpected plan');
    });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

const FIRST = '1999-01-01';

async function makeZone(root) {
  const sample = join(root, '.sample.parquet');
  const at = pl.Series('at', [new Date(0)]).cast(pl.Datetime('us'));
  await pl
    .DataFrame([pl.Series('id', [1n], pl.Int64), at])
    .lazy()
    .sinkParquet(sample)
    .collect();
  let date = FIRST;
  for (let done = 0; done < partitions; done += 100) {
    const chunk = [];
    for (let i = done; i < Math.min(partitions, done + 100); i += 1, date = addDays(date, 1))
      chunk.push(join(root, `date=${date}`));
    await Promise.all(
      chunk.map(async (folder) => {
        await mkdir(folder);
        for (let n = 0; n < filesEach; n += 1) await copyFile(sample, join(folder, `part-${n}.parquet`));
      }),
    );
  }
}

async function measure(what, work) {
  const times = [];
  for (let round = 0; round < rounds; round += 1) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  const sorted = times.toSorted((a, b) => a - b);
  const text = (ms) => ms.toFixed(0);
  console.log(
    `${what}: median ${text(sorted[Math.floor(rounds / 2)])}, first ${text(times[0])}, worst ${text(sorted.at(-1))}`,
  );
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
