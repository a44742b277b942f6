'use strict';
/**
 * One source partition of many has changed. Tidegate finds that out, and makes the table equal to a full rebuild.
 * Beside it what one does without: merge the day into a Delta table, or run the last days again (which does not
 * give the same table: what came later than the window, or belongs to a day outside it, stays wrong).
 */
const { execFileSync } = require('node:child_process');
const { existsSync, renameSync, rmSync } = require('node:fs');
const { join } = require('node:path');
const { dateOf, makeZone, rewriteDay } = require('./lib/data');
const { interleaved } = require('./lib/measure');
const { nodeCase } = require('./lib/node-case');
const { comparison, number } = require('./lib/show');

/** Days of the fixed window: the lookback and the day itself. */
const WINDOW = 8;
const COUPLED = 5;

/** A copy in which no byte is copied: everybody here only ever replaces files. */
const copyTree = (from, to) => execFileSync('cp', ['-al', from, to]);

async function incremental({
  cache,
  peers,
  incrementalPartitions: days,
  incrementalRows: rows,
  keyScope,
  rounds,
  log,
  print,
}) {
  const work = join(cache, 'incremental');
  rmSync(work, { recursive: true, force: true });
  const raw = await makeZone(cache, join(work, 'raw'), days, rows, log);
  const out = join(work, 'table');
  const day = Math.max(0, days - 4);
  log(`the full run over ${days} partitions of ${rows.toLocaleString('en')} rows`);
  const full = await nodeCase('tidegate.js', { raw, out, keyScope });
  if (full.failed !== undefined) throw new Error(`the full run failed: ${full.failed}`);
  log(`  ${number(full.seconds)} s, ${number(full.mebibytes, 0)} MiB`);
  renameSync(out, `${out}.full`);
  const delta = join(work, 'delta');
  if (peers !== null) {
    log('building the Delta table of the same rows');
    const built = await peers.run('delta_build.py', { table: `${out}.full`, out: delta, days });
    if (built.failed !== undefined) log(`  failed: ${built.failed}`);
  }
  // The zone in which a day has changed, and one in which it also updates rows of other days.
  const [changed, coupling] = [`${raw}-changed`, `${raw}-coupled`];
  for (const [zone, reach] of [
    [changed, 0],
    [coupling, COUPLED],
  ]) {
    copyTree(raw, zone);
    await rewriteDay(zone, day, rows, reach);
  }
  renameSync(raw, `${raw}.base`);

  /** What the runs left behind, by raw zone. */
  const left = new Map();
  /** One incremental run, of the table as the full run left it, over another raw zone under the same name. */
  const tidegate = (zone, cold) => async () => {
    rmSync(out, { recursive: true, force: true });
    copyTree(`${out}.full`, out);
    renameSync(zone, raw);
    try {
      if (cold) await peers.run('evict.py', { folder: work });
      const result = await nodeCase('tidegate.js', { raw, out, keyScope, requestId: 'bench/2' });
      if (peers !== null && result.failed === undefined && !left.has(zone)) left.set(zone, await peers.digest(out));
      return result;
    } finally {
      renameSync(raw, zone);
    }
  };
  const window = Array.from({ length: Math.min(WINDOW, days) }, (_, i) => dateOf(days - Math.min(WINDOW, days) + i));
  const cases = [
    { name: 'Tidegate, none coupled', run: tidegate(changed, false) },
    { name: `Tidegate, ${COUPLED} coupled`, run: tidegate(coupling, false) },
    ...(peers === null
      ? []
      : [
          { name: 'Tidegate, none coupled, cold files', run: tidegate(changed, true) },
          {
            name: 'delta-rs, merge into the table',
            run: async () => {
              const target = join(work, 'merged');
              rmSync(target, { recursive: true, force: true });
              copyTree(delta, target);
              return peers.run('delta_merge.py', { raw: changed, out: target, date: dateOf(day) });
            },
          },
          ...[
            ['Polars', 'polars-eager'],
            ['DuckDB', 'duckdb-narrow'],
          ].map(([name, engine]) => ({
            name: `${name}, last ${window.length} days again`,
            run: async (target) =>
              peers.run('peers.py', { raw: changed, out: target, engine, dates: window, keyScope: 'window' }),
          })),
        ]),
  ];
  const measured = await interleaved(cases, rounds, cache, log);
  for (const [i, zone] of [changed, coupling].entries()) {
    if (!left.has(zone)) continue;
    log(`a full rebuild by DuckDB, to hold the table of "${measured[i].name}" against`);
    const target = join(work, 'rebuilt');
    const task = { raw: zone, out: target, days, engine: 'duckdb-narrow', keyScope: 'table' };
    const rebuilt = await peers.run('peers.py', task);
    if (rebuilt.failed === undefined)
      measured[i].equal = JSON.stringify(await peers.digest(target)) === JSON.stringify(left.get(zone));
    else log(`  failed: ${rebuilt.failed}`);
    rmSync(target, { recursive: true, force: true });
  }
  print(
    `\n1 of ${days} partitions of ${rows.toLocaleString('en')} rows has changed, scope ${keyScope}; medians of ${rounds}`,
  );
  print(`The full run before it: ${number(full.seconds)} s, ${number(full.mebibytes, 0)} MiB.`);
  print(comparison(measured, cases[0].name));
  for (const { name, seconds, found } of measured.slice(0, 2)) {
    if (found === undefined) continue;
    print(
      `${name}: ${found.taken} partition(s) written, ${number((seconds / full.seconds) * 100, 1)}% of the full run`,
    );
  }
  if (existsSync(work)) rmSync(work, { recursive: true, force: true });
  return { days, rows, keyScope, full, cases: measured };
}

module.exports = { incremental };
