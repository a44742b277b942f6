'use strict';
/** A first run over the whole raw zone, beside the floor and the peers. */
const { join } = require('node:path');
const { makeZone } = require('./lib/data');
const { interleaved } = require('./lib/measure');
const { nodeCase } = require('./lib/node-case');
const { compareDigests, withDigest } = require('./lib/sameness');
const { comparison } = require('./lib/show');

const FLOOR = 'read and rewrite (the floor)';
const PEERS = {
  'Polars, eager': 'polars-eager',
  'Polars, lazy and streaming': 'polars-streaming',
  DuckDB: 'duckdb-narrow',
};
/** The same by the textbook; slower, and asked for with --all-peers. */
const TEXTBOOK = {
  'Polars, eager, sort and unique': 'polars-eager-sort',
  'Polars, lazy in memory': 'polars-lazy',
  'DuckDB, row_number': 'duckdb-window',
};

async function full({ cache, peers, partitions, rows, rounds, scopes, allPeers, log, print }) {
  const results = [];
  const one = await makeZone(cache, join(cache, `zone-1x${rows}`), 1, rows, log);
  for (const days of partitions) {
    const raw = await makeZone(cache, join(cache, `zone-${days}x${rows}`), days, rows, log);
    for (const keyScope of scopes) {
      log(`${days} partitions of ${rows.toLocaleString('en')} rows, scope ${keyScope}`);
      const check = (run) => (peers === null ? run : withDigest(run, (out) => peers.digest(out)));
      const task = { raw, days, keyScope };
      const cases = [
        { name: FLOOR, run: async (out) => nodeCase('floor.js', { ...task, out }) },
        { name: `Tidegate, scope ${keyScope}`, run: check(async (out) => nodeCase('tidegate.js', { ...task, out })) },
        ...Object.entries(peers === null ? {} : { ...PEERS, ...(allPeers ? TEXTBOOK : {}) }).map(([name, engine]) => ({
          name,
          run: check(async (out) => peers.run('peers.py', { ...task, engine, out })),
        })),
      ];
      // A worker runs for weeks; what a process does once, such as to compile, it has done by then.
      const again = { ...task, first: { raw: one, days: 1 } };
      const warm = [
        { name: FLOOR, run: async (out) => nodeCase('floor.js', { ...again, out }) },
        { name: `Tidegate, scope ${keyScope}`, run: async (out) => nodeCase('tidegate.js', { ...again, out }) },
      ];
      const measured = compareDigests(await interleaved(cases, rounds, cache, log));
      print(
        `\n${days} partitions of ${rows.toLocaleString('en')} rows, keys unique by ${keyScope}; medians of ${rounds}`,
      );
      print(comparison(measured, FLOOR));
      const inWarm = await interleaved(warm, rounds, cache, log);
      print('\nThe same in processes that ran one partition before');
      print(comparison(inWarm, FLOOR));
      results.push({ days, rows, keyScope, cases: measured, warm: inWarm });
    }
  }
  return results;
}

module.exports = { full };
