// How long opening a Delta table takes as its commits grow. Run by `npm run bench:delta`, after a build.
// Usage: node bench/delta-open.js [commits, default 10000] [partitions, default 365]
const { createHash, randomUUID } = require('node:crypto');
const {
  mkdtempSync,
  mkdirSync,
  copyFileSync,
  existsSync,
  readFileSync,
  statSync,
  renameSync,
  rmSync,
  writeFileSync,
} = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const pl = require('nodejs-polars').default;
const { definePipeline } = require('../dist/contract');
const { runOf } = require('../dist/publish');
const { DeltaTable } = require('../dist/publish/delta/delta-table');
const { localStore } = require('../dist/storage');
const { buildReport } = require('../dist/quality');
const { addDays } = require('../dist/discovery/partition-date');

const [commits, partitions] = [Number(process.argv[2] ?? 10_000), Number(process.argv[3] ?? 365)];
const root = mkdtempSync(path.join(tmpdir(), 'tidegate-bench-'));
const contract = definePipeline({
  pipeline: 'bench',
  source: { path: path.join(root, 'raw') },
  columns: { id: 'int64' },
  deduplicate: { primaryKey: 'id', orderBy: 'id', scope: 'partition' },
  gates: [],
  publish: { path: path.join(root, 'table'), format: 'delta', keep: { versions: 30, days: 0 } },
});

/** Local files without fsync: 10,000 commits in minutes. Opening reads only, and is measured on the real store. */
function hastyStore() {
  const inner = localStore(contract.publish.path, { errorType: 'TargetError' });
  const put = (key, data) => {
    const target = path.join(contract.publish.path, key);
    mkdirSync(path.dirname(target), { recursive: true });
    const temporary = `${target}.${randomUUID()}`;
    writeFileSync(temporary, data);
    renameSync(temporary, target);
  };
  return {
    ...inner,
    kind: 's3',
    read: async (key) => readFileSync(path.join(contract.publish.path, key)),
    write: async (key, data) => put(key, data),
    putIfAbsent: async (key, data) => {
      if (existsSync(path.join(contract.publish.path, key))) return false;
      put(key, data);
      return true;
    },
  };
}
const openTable = () => new DeltaTable(contract);

const sample = path.join(root, 'sample.parquet');
pl.DataFrame({ id: pl.Series('id', [1n, 2n], pl.Int64) }).writeParquet(sample);
const size = statSync(sample).size;

/** What a run of one partition hands to publish. */
function input(table, state, number, dates) {
  const requestId = `bench/${number}`;
  const [run, attempt] = [runOf(requestId), randomUUID()];
  const counts = { read: 2, superseded: 0, ambiguous: 0, quarantined: 0, published: 2, misfiled: 0 };
  const results = dates.map((date) => {
    const file = table.outputPath({ kind: 'curated', date, run, attempt, n: 0 });
    const target = path.join(contract.publish.path, file);
    mkdirSync(path.dirname(target), { recursive: true });
    copyFileSync(sample, target);
    return {
      date,
      counts: { ...counts, violations: { primaryKey: 0 } },
      curated: [{ path: file, rows: 2, size }],
      quarantine: [],
    };
  });
  const plan = {
    formatVersion: 1,
    pipeline: 'bench',
    scope: { kind: 'incremental' },
    base: { version: state.version, watermark: state.watermark },
    windowFrom: null,
    watermark: dates.reduce((newest, date) => (date > newest ? date : newest), state.watermark ?? ''),
    partitions: dates.map((date) => ({
      date,
      reason: 'new',
      files: [{ path: `date=${date}/a.parquet`, size: 10, mtimeNs: '1790000000123456789', rows: 2 }],
      fingerprint: createHash('sha256').update(date).digest('hex'),
      rows: 2,
      bytes: 10,
    })),
    left: [],
    ignored: [],
    contract,
    digests: { resolution: 'a'.repeat(64), rows: 'b'.repeat(64) },
  };
  return {
    requestId,
    run,
    plan,
    planDigest: 'c'.repeat(64),
    results,
    report: buildReport({ plan, planDigest: 'c'.repeat(64), requestId, results }),
  };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function timed(work, times = 15) {
  const took = [];
  for (let index = 0; index < times; index += 1) {
    const start = performance.now();
    await work();
    took.push(performance.now() - start);
  }
  return median(took);
}

async function main() {
  const table = new DeltaTable(contract, {}, hastyStore());
  await table.claimFolder();
  const days = Array.from({ length: partitions }, (_, index) => addDays('2025-01-01', index));
  await table.publish(input(table, await table.read(), 0, days));
  console.log(`partitions ${partitions}; median of 15, in milliseconds`);
  console.log('commits  open   find   commit (unsynced)');
  let started = Date.now();
  for (let number = 1; number < commits; number += 1) {
    await table.publish(input(table, await table.read(), number, [days[number % partitions]]));
    if ([10, 100, 1000, 2000, 3000, 5000, commits - 1].includes(number)) {
      const each = (Date.now() - started) / number;
      const open = await timed(() => openTable().read());
      const find = await timed(() => openTable().find('bench/0'));
      console.log(`${String(number + 1).padStart(7)}  ${open.toFixed(1)}   ${find.toFixed(1)}   ${each.toFixed(1)}`);
    }
  }
}

main()
  .finally(() => rmSync(root, { recursive: true, force: true }))
  .catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
