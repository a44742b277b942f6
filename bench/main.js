'use strict';
/** `npm run bench`: Tidegate beside a floor and its peers, in one go. What it measures and how: docs/performance.md. */
const { existsSync, mkdirSync, writeFileSync } = require('node:fs');
const { cpus, totalmem } = require('node:os');
const { join, resolve } = require('node:path');
const { Command, Option } = require('commander');
const { full } = require('./full');
const { growth } = require('./growth');
const { incremental } = require('./incremental');
const { Peers } = require('./lib/peers');
const { orchestration } = require('./orchestration');

const PARTS = { full, incremental, orchestration, growth };
const ROOT = join(__dirname, '..');

const whole = (text) => {
  const value = Number(text.replaceAll('_', ''));
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`expected a whole number above zero, not ${text}`);
  return value;
};
const wholes = (text) => text.split(',').map(whole);
const words = (text) => text.split(',').map((word) => word.trim());

const QUICK = {
  partitions: [3],
  rows: 100_000,
  incrementalPartitions: 20,
  incrementalRows: 20_000,
  growthPartitions: [1, 2, 4],
  growthRows: 250_000,
  requests: 20,
  nothingPartitions: 500,
  runs: 5,
};
const USUAL = {
  partitions: [5, 30],
  rows: 1_000_000,
  incrementalPartitions: 365,
  incrementalRows: 100_000,
  growthPartitions: [1, 2, 5, 10, 20, 30],
  growthRows: 1_000_000,
  requests: 1000,
  nothingPartitions: 10_000,
  runs: 20,
};

const program = new Command('npm run bench --')
  .description(
    'Measures Tidegate beside a plain rewrite, Polars, DuckDB and delta-rs, interleaved, in processes of their own.',
  )
  .argument('[parts...]', `which of ${Object.keys(PARTS).join(', ')} (default: all)`)
  .option('--quick', 'small sizes, one round: minutes instead of most of an hour')
  .option('--partitions <n,…>', 'partitions of `full`', wholes)
  .option('--rows <n>', 'rows in each partition of `full`', whole)
  .option('--rounds <n>', 'times that every case runs; medians are shown (default: 3)', whole)
  .option('--scopes <scope,…>', 'in which scopes keys are resolved', words, ['partition', 'table'])
  .option('--incremental-partitions <n>', 'partitions of `incremental`', whole)
  .option('--incremental-rows <n>', 'rows in each partition of `incremental`', whole)
  .option('--growth-partitions <n,…>', 'sizes of `growth`, in partitions', wholes)
  .option('--growth-rows <n>', 'rows in each partition of `growth`', whole)
  .option('--requests <n>', 'backfill requests of `orchestration`', whole)
  .option('--nothing-partitions <n>', 'unchanged partitions of `orchestration`', whole)
  .option('--runs <n>', 'tiny runs of `orchestration`', whole)
  .option('--all-peers', 'the textbook forms of the peers, too')
  .option('--no-peers', 'Tidegate and the floor alone: needs no Python')
  .addOption(
    new Option('--cache <folder>', 'where data and the peers’ environment are kept').default(
      join(ROOT, '.cache', 'bench'),
    ),
  )
  .option('--json <file>', 'write all figures there, too');

async function main() {
  program.parse();
  const given = program.opts();
  const parts = program.args.length > 0 ? program.args : Object.keys(PARTS);
  const unknown = parts.filter((part) => !Object.hasOwn(PARTS, part));
  if (unknown.length > 0)
    program.error(`unknown part ${unknown.join(', ')}: there are ${Object.keys(PARTS).join(', ')}`);
  if (!existsSync(join(ROOT, 'dist', 'engine'))) program.error('run `npm run build` first');
  const cache = resolve(given.cache);
  mkdirSync(cache, { recursive: true });
  const peers = given.peers ? new Peers(cache) : null;
  await peers?.install();
  const log = (text) => process.stderr.write(`${text}\n`);
  const started = Date.now();
  const options = {
    rounds: given.quick ? 1 : 3,
    ...(given.quick ? QUICK : USUAL),
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    keyScope: given.scopes.at(-1),
    cache,
    peers,
    log,
    print: (text) => process.stdout.write(`${text}\n`),
  };
  const machine = {
    cpu: cpus()[0].model,
    cores: cpus().length,
    gibibytes: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  };
  options.print(`${machine.cores} cores (${machine.cpu}), ${machine.gibibytes} GiB, Node ${machine.node}`);
  const results = { machine, at: new Date(started).toISOString() };
  for (const part of parts) {
    const began = Date.now();
    results[part] = await PARTS[part](options);
    log(`${part} took ${Math.round((Date.now() - began) / 1000)} s`);
    if (given.json !== undefined) writeFileSync(given.json, `${JSON.stringify(results, null, 2)}\n`);
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
