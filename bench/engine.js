/**
 * What the engine costs over reading and rewriting the same files with no work at all (the floor).
 * Every measurement is a process of its own; they are interleaved, and the median is printed.
 *
 *   npm run bench:engine                       5 partitions of 1,000,000 rows, 3 rounds
 *   npm run bench:engine -- 30 1000000 1       partitions, rows in each, rounds
 *   npm run bench:engine -- 300 200            many small partitions: what one costs whatever is in it
 */
const { execFileSync } = require('node:child_process');
const { mkdirSync, mkdtempSync, rmSync, statSync, existsSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const Table = require('cli-table3');
const pl = require('nodejs-polars');

const UPDATES = 0.03;
const VIOLATIONS = 0.01;
const SINK = { maintainOrder: true, syncOnClose: 'all', mkdir: true };
const dateOf = (index) => new Date(Date.UTC(2026, 0, 1 + index)).toISOString().slice(0, 10);

const contractOf = (raw, out, scope) => ({
  pipeline: 'bench',
  source: { path: raw, partitionColumn: 'date', extraColumns: 'fail', unrecognized: 'warn' },
  columns: [
    ['transaction_id', { kind: 'int64' }],
    ['user_id', { kind: 'int64' }],
    ['amount', { kind: 'float64' }],
    ['transaction_receipt', { kind: 'string' }],
    ['updated_at', { kind: 'timestamp', unit: 'us', zoned: false }],
    ['status', { kind: 'string' }],
    ['merchant', { kind: 'string' }],
    ['note', { kind: 'string' }],
  ].map(([name, type]) => ({ name, type })),
  incremental: { start: null, lookback: 3, reprocess: 'changed', late: 'process', gone: 'keep', future: 'leave' },
  deduplicate: { primaryKey: ['transaction_id'], orderBy: [{ column: 'updated_at', direction: 'desc' }], scope },
  gates: [
    { kind: 'notNull', name: 'user_id_not_null', column: 'user_id' },
    { kind: 'inRange', name: 'amount_in_range', column: 'amount', greaterThan: 0 },
    { kind: 'unique', name: 'receipt_unique', columns: ['transaction_receipt'], scope },
  ],
  publish: { path: out, format: 'directory', keep: { versions: 30, days: 7 } },
  engine: { memory: 1024 ** 3 },
  schedule: null,
  notify: { webhook: null },
});

async function makeData(raw, partitions, rows) {
  const fresh = Math.floor(rows * (1 - UPDATES));
  for (let p = 0; p < partitions; p++) {
    const folder = join(raw, `date=${dateOf(p)}`);
    mkdirSync(folder, { recursive: true });
    const n = pl.intRange({ start: 0, end: rows, eager: true });
    const i = pl.col('n');
    // Multiplying by a number that shares no factor with 2^31 - 1 scatters the order of rows.
    const scattered = i.multiplyBy(pl.lit(48271)).modulo(pl.lit(2147483647));
    await pl
      .DataFrame({ n })
      .lazy()
      .select(
        i
          .cast(pl.Int64)
          .modulo(pl.lit(fresh))
          .plus(pl.lit(p * fresh))
          .cast(pl.Int64)
          .alias('transaction_id'),
        scattered.modulo(pl.lit(100003)).cast(pl.Int64).alias('user_id'),
        pl
          .when(i.modulo(pl.lit(Math.round(1 / VIOLATIONS))).eq(pl.lit(7)))
          .then(pl.lit(-1))
          .otherwise(scattered.modulo(pl.lit(99991)).cast(pl.Float64).div(pl.lit(100)).plus(pl.lit(0.01)))
          .alias('amount'),
        pl.concatString([pl.lit(`r${p}-`), i.cast(pl.Utf8)], '').alias('transaction_receipt'),
        i
          .plus(pl.lit(1_767_225_600_000_000 + p * 86_400_000_000))
          .cast(pl.Int64)
          .cast(pl.Datetime('us'))
          .alias('updated_at'),
        pl
          .when(i.modulo(pl.lit(3)).eq(pl.lit(0)))
          .then(pl.lit('settled'))
          .otherwise(pl.lit('authorised'))
          .alias('status'),
        pl.concatString([pl.lit('merchant-'), scattered.modulo(pl.lit(5003)).cast(pl.Utf8)], '').alias('merchant'),
        pl.concatString([pl.lit('note '), scattered.cast(pl.Utf8), pl.lit(' of the day')], '').alias('note'),
      )
      .sinkParquet(join(folder, 'part-0.parquet'), {
        compression: 'zstd',
        compressionLevel: 3,
        statistics: true,
        sinkOptions: SINK,
      })
      .collect();
  }
}

async function runFloor(raw, out, partitions) {
  for (let p = 0; p < partitions; p++) {
    await pl
      .scanParquet(join(raw, `date=${dateOf(p)}`, 'part-0.parquet'), { glob: false })
      .sinkParquet(join(out, `${p}.parquet`), {
        compression: 'zstd',
        compressionLevel: 1,
        statistics: true,
        sinkOptions: SINK,
      })
      .collect();
  }
}

async function runEngine(raw, out, partitions, rows, scope) {
  const { resolve, transformPartition } = require('../dist/engine');
  const contract = contractOf(raw, out, scope);
  const planned = Array.from({ length: partitions }, (_, p) => {
    const path = `date=${dateOf(p)}/part-0.parquet`;
    const { size, mtimeNs } = statSync(join(raw, path), { bigint: true });
    const file = { path, size: Number(size), mtimeNs: String(mtimeNs), rows };
    return { date: dateOf(p), reason: 'new', files: [file], fingerprint: '', rows, bytes: Number(size) };
  });
  const resolutionDir = join(out, 'resolution');
  const started = performance.now();
  const resolutions = await resolve({ contract, sourceRoot: raw, partitions: planned, directory: resolutionDir });
  const resolved = (performance.now() - started) / 1000;
  const totals = { read: 0, superseded: 0, quarantined: 0, published: 0 };
  for (const [p, partition] of planned.entries()) {
    const { counts } = await transformPartition({
      contract,
      sourceRoot: raw,
      partition,
      resolution: resolutions[p],
      resolutionDir,
      tableRoot: out,
      outputPath: ({ kind, date, run, attempt, n }) =>
        `staging/${kind}/date=${date}/part-${run}-${attempt}-${n}.parquet`,
      run: '0123456789abcdef',
      attempt: '00000000-0000-4000-8000-000000000000',
    });
    for (const name of Object.keys(totals)) totals[name] += counts[name];
  }
  if (totals.read !== totals.superseded + totals.quarantined + totals.published)
    throw new Error(JSON.stringify(totals));
  return { resolved, totals };
}

async function child(what, raw, out, partitions, rows) {
  const before = process.cpuUsage();
  const started = performance.now();
  const more =
    what === 'floor' ? await runFloor(raw, out, partitions) : await runEngine(raw, out, partitions, rows, what);
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(before);
  const cpu = (user + system) / 1e6;
  process.stdout.write(JSON.stringify({ seconds, cpu, mebibytes: process.resourceUsage().maxRSS / 1024, ...more }));
}

function measure(what, raw, folder, partitions, rows) {
  const out = mkdtempSync(join(folder, 'out-'));
  const text = execFileSync(process.execPath, [__filename, '--child', what, raw, out, partitions, rows].map(String));
  rmSync(out, { recursive: true });
  return JSON.parse(text.toString());
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

async function main([partitions = 5, rows = 1_000_000, rounds = 3]) {
  if (!existsSync(join(__dirname, '../dist/engine'))) throw new Error('npm run build first');
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-bench-'));
  const raw = join(folder, 'raw');
  console.log(`making ${partitions} partitions of ${rows} rows …`);
  await makeData(raw, partitions, rows);
  const kinds = ['floor', 'partition', 'window'];
  const results = Object.fromEntries(kinds.map((kind) => [kind, []]));
  for (let round = 0; round < rounds; round++) {
    for (const kind of kinds) results[kind].push(measure(kind, raw, folder, partitions, rows));
  }
  const floor = median(results.floor.map(({ seconds }) => seconds));
  const table = new Table({
    head: ['', 'seconds', 'of which keys', '× the floor', 'CPU s', 'CPU ms a partition', 'peak RSS, MiB'],
  });
  for (const kind of kinds) {
    const seconds = median(results[kind].map((result) => result.seconds));
    const keys = kind === 'floor' ? '' : median(results[kind].map((result) => result.resolved)).toFixed(2);
    const memory = median(results[kind].map((result) => result.mebibytes)).toFixed(0);
    const name = kind === 'floor' ? 'read and rewrite (the floor)' : `engine, scope ${kind}`;
    const cpu = median(results[kind].map((result) => result.cpu));
    const each = ((cpu * 1000) / partitions).toFixed(1);
    table.push([name, seconds.toFixed(2), keys, (seconds / floor).toFixed(2), cpu.toFixed(2), each, memory]);
  }
  console.log(table.toString());
  console.log(results.partition[0].totals);
  rmSync(folder, { recursive: true });
}

const [first, ...rest] = process.argv.slice(2);
const work =
  first === '--child'
    ? child(rest[0], rest[1], rest[2], Number(rest[3]), Number(rest[4]))
    : main([first, ...rest].filter((arg) => arg !== undefined).map(Number));
work.catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
