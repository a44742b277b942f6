'use strict';
/** A case in Node.js: `node bench/cases/<file>.js '<task>'`. */
const { rmSync } = require('node:fs');
const { join } = require('node:path');
const { runCase } = require('./measure');

const nodeCase = (file, task) =>
  runCase({ command: process.execPath, args: [join(__dirname, '..', 'cases', file)] }, task);

/**
 * Run by the case itself: times `work`, and tells the parent. Whatever `before` gives is made first, untimed; where the task
 * has a `first`, so is the work on that, in the same process.
 */
function tell(work, before = async () => null) {
  const main = async () => {
    const task = JSON.parse(process.argv[2]);
    let given = null;
    if (task.first !== undefined) {
      const first = { ...task, ...task.first, out: join(task.out, 'first') };
      given = await before(first, given);
      await work(first, given);
      rmSync(first.out, { recursive: true, force: true });
    }
    given = await before(task, given);
    const [cpu, started] = [process.cpuUsage(), performance.now()];
    const found = await work(task, given);
    const seconds = (performance.now() - started) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    const mebibytes = process.resourceUsage().maxRSS / 1024;
    process.stdout.write(`${JSON.stringify({ seconds, cpu: (user + system) / 1e6, mebibytes, found })}\n`);
  };
  main().catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
}

module.exports = { nodeCase, tell };
