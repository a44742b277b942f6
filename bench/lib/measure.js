'use strict';
/** Every measurement is a process of its own, so that its peak memory and CPU are its own. */
const { spawn } = require('node:child_process');
const { mkdtempSync, readFileSync, rmSync } = require('node:fs');
const { join } = require('node:path');

const EVERY_MS = 20;

/**
 * Runs a case: a command that reads its task as JSON from its last argument, and leaves one line of JSON on its
 * standard output: `seconds` (of the work alone, without starting up) and `cpu` (seconds, likewise), and what it found.
 * Peak memory is the kernel's account of the whole process (VmHWM), start-up included.
 */
async function runCase({ command, args, env = {} }, task) {
  const child = spawn(command, [...args, JSON.stringify(task)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [output, errors, peak] = ['', '', 0];
  child.stdout.on('data', (data) => (output += data));
  child.stderr.on('data', (data) => (errors = (errors + data).slice(-4000)));
  const look = () => (peak = Math.max(peak, peakOf(child.pid)));
  const timer = setInterval(look, EVERY_MS);
  const status = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? signal));
  });
  clearInterval(timer);
  const said = lastLine(output);
  if (status !== 0)
    return { failed: status === 'SIGKILL' ? 'killed (out of memory?)' : errorOf(errors, status), mebibytes: peak };
  return { ...said, mebibytes: said.mebibytes ?? peak };
}

function lastLine(output) {
  const line = output.trim().split('\n').at(-1) ?? '';
  try {
    return JSON.parse(line);
  } catch {
    return {};
  }
}

function errorOf(errors, status) {
  const lines = errors.trim().split('\n');
  return `${lines.findLast((line) => /^\w*(Error|Exception)\b/.test(line)) ?? lines.at(-1) ?? ''} (exit ${status})`;
}

function peakOf(pid) {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

const median = (numbers) => {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/**
 * Runs every case once a round, one after another, so that what slows the machine down slows all of them.
 * @param cases `{ name, run(out) }`, `out` being an empty folder that is gone afterwards.
 * @returns by name: median `seconds`, `cpu`, `mebibytes`; all `rounds`; what the first round found.
 */
async function interleaved(cases, rounds, cache, log) {
  const results = new Map(cases.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, run } of cases) {
      const own = results.get(name);
      // What failed once fails again, and may take minutes to.
      if (own.some(({ failed }) => failed !== undefined)) continue;
      const out = mkdtempSync(join(cache, 'out-'));
      const result = await run(out);
      rmSync(out, { recursive: true, force: true });
      own.push(result);
      const told =
        result.failed ??
        `${result.seconds.toFixed(2)} s, CPU ${result.cpu.toFixed(2)} s, ${result.mebibytes.toFixed(0)} MiB`;
      log(`  round ${round + 1} of ${rounds}: ${name}: ${told}`);
    }
  }
  return cases.map(({ name }) => {
    const own = results.get(name);
    const failed = own.find((result) => result.failed !== undefined);
    if (failed !== undefined) return { name, failed: failed.failed, mebibytes: failed.mebibytes };
    const of = (key) => median(own.map((result) => result[key]));
    return {
      name,
      seconds: of('seconds'),
      cpu: of('cpu'),
      mebibytes: of('mebibytes'),
      found: own[0].found,
      rounds: own,
    };
  });
}

module.exports = { interleaved, median, runCase };
