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
const { cpus, tmpdir } = require('node:os');
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

/** Commits after which the table is looked at. */
const isLookedAt = (number) => [1, 100, 1000, 5000, commits].includes(number);

async function main() {
  const hasty = new DeltaTable(contract, {}, hastyStore());
  await hasty.claimFolder();
  const days = Array.from({ length: partitions }, (_, index) => addDays('2025-01-01', index));
  /** Publishes one commit, and returns how long that took; the first one has all partitions. */
  const publish = async (table, number) => {
    const dates = number === 1 ? days : [days[number % partitions]];
    const made = input(table, await table.read(), number, dates);
    const start = performance.now();
    await table.publish(made);
    return performance.now() - start;
  };
  console.log(
    `${cpus().length} cores; ${partitions} partitions; milliseconds: medians of 15 openings, look-ups and durable`,
  );
  console.log(
    'commits, and of the commits since the row before (without fsync) the median, and the mean with cleaning',
  );
  console.log('commits    open    find  commit  unsynced: median  mean');
  let since = [];
  for (let number = 1; number <= commits; number += 1) {
    since.push(await publish(hasty, number));
    if (!isLookedAt(number)) continue;
    const mean = since.reduce((sum, took) => sum + took, 0) / since.length;
    const [open, find] = [await timed(() => openTable().read()), await timed(() => openTable().find('bench/1'))];
    const at = number;
    const durable = [];
    while (durable.length < 15) durable.push(await publish(openTable(), (number += 1)));
    const row = [open, find, median(durable), median(since), mean];
    const cells = row.map((value) => value.toFixed(1).padStart(8));
    console.log(`${String(at).padStart(7)}${cells.join('')}`);
    since = [];
  }
}

main()
  .finally(() => rmSync(root, { recursive: true, force: true }))
  .catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
