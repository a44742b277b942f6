'use strict';
/** Time and memory of one first run, as the number of partitions grows. */
const { join } = require('node:path');
const { makeZone } = require('./lib/data');
const { interleaved } = require('./lib/measure');
const { nodeCase } = require('./lib/node-case');
const { number, table } = require('./lib/show');

async function growth({ cache, growthPartitions, growthRows: rows, scopes, rounds, log, print }) {
  const results = [];
  for (const days of growthPartitions) {
    const raw = await makeZone(cache, join(cache, `zone-${days}x${rows}`), days, rows, log);
    log(`growth: ${(days * rows).toLocaleString('en')} rows`);
    const cases = [
      { name: 'floor', run: async (out) => nodeCase('floor.js', { raw, days, out }) },
      ...scopes.map((keyScope) => ({
        name: `scope ${keyScope}`,
        run: async (out) => nodeCase('tidegate.js', { raw, days, keyScope, out }),
      })),
    ];
    results.push({ days, rows, cases: await interleaved(cases, rounds, cache, log) });
  }
  print(`\nGrowth: partitions of ${rows.toLocaleString('en')} rows; medians of ${rounds}`);
  print(
    table(
      ['rows', ...results[0].cases.flatMap(({ name }) => [`${name}: µs a row`, 'CPU µs', 'peak MiB'])],
      results.map(({ days, cases }) => [
        (days * rows).toLocaleString('en'),
        ...cases.flatMap(({ seconds, cpu, mebibytes }) => [
          number((seconds * 1e6) / (days * rows)),
          number((cpu * 1e6) / (days * rows)),
          number(mebibytes, 0),
        ]),
      ]),
    ),
  );
  return results;
}

module.exports = { growth };
