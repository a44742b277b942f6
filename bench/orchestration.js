'use strict';
/** What Temporal costs: whole runs through an embedded server and a warm worker, as a user sees them. */
const { join } = require('node:path');
const { runCase } = require('./lib/measure');
const { number, table } = require('./lib/show');

const orchestrate = (what, task) =>
  runCase({ command: process.execPath, args: [join(__dirname, 'cases', 'orchestrated.js')] }, { what, ...task });

async function orchestration({ cache, requests, nothingPartitions, runs, log, print }) {
  log(`${runs} runs of one tiny partition, through Temporal`);
  const tiny = await orchestrate('tiny', { cache, runs });
  log(`${requests} backfill requests, one after another`);
  const backfills = await orchestrate('backfills', { cache, requests });
  log(`a run over ${nothingPartitions} partitions of which none has changed`);
  const nothing = await orchestrate('nothing', { cache, partitions: nothingPartitions, runs: 3 });
  const of = ({ failed, found }, tell) => (failed === undefined ? tell(found) : failed);
  print('\nThrough an embedded Temporal server, with a warm worker; milliseconds from request to result');
  print(
    table(
      ['what', 'result'],
      [
        [
          'incremental run of one tiny partition',
          of(tiny, (it) => `median ${number(it.median, 0)}, best ${number(it.best, 0)}, worst ${number(it.worst, 0)}`),
        ],
        [
          `${requests} backfill requests, one after another`,
          of(
            backfills,
            (it) =>
              `median of the first tenth ${number(it.first, 0)}, of the last tenth ${number(it.last, 0)}, of all ${number(it.median, 0)}`,
          ),
        ],
        [
          `run over ${nothingPartitions.toLocaleString('en')} unchanged partitions`,
          of(nothing, (it) => `median ${number(it.median, 0)}`),
        ],
      ],
    ),
  );
  return { tiny, backfills, nothing };
}

module.exports = { orchestration };
