'use strict';
/**
 * Shows that the tests can fail: puts each fault of scripts/mutations.js into a copy of the sources, one at a
 * time, and runs the tests meant to catch it there, which must go red. npm run check:mutations -- [--only <pattern>] [--list]
 */
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { patched } = require('./apply-patches');
const { faults } = require('./mutations');

const root = path.join(__dirname, '..');
const copy = path.join(root, '.cache', 'mutations', String(process.pid));
/** Histories of the model test, of this seed, unless a fault asks for more. */
const HISTORIES = 150;
const SEED = 20261123;
const SHOWN_LINES = 40;
const SOAK = 'test/model/soak.ts';
const REPLAY = 'test/model/model.test.ts';

const isScript = (test) => test.endsWith('.json');

/** A fault's tests as jest takes them: files, scripts by the names of the tests that replay them, or the soak for `histories`. */
function commandOf({ tests, named, histories = HISTORIES }) {
  const files = tests.map((test) => (test === 'histories' ? SOAK : isScript(test) ? REPLAY : test));
  const matching = [...new Set(files)].flatMap((file) => ['--testMatch', `**/${file}`]);
  const scripts = tests.filter(isScript).map((test) => `: ${path.basename(test, '.json')}\\.json`);
  const names = named === undefined ? scripts : [named];
  const args = names.length === 0 ? matching : [...matching, '--testNamePattern', names.join('|')];
  return { args, env: { TIDEGATE_SOAK_RUNS: String(histories), TIDEGATE_SOAK_SEED: String(SEED) } };
}

function runTests(fault) {
  const { args, env } = commandOf(fault);
  const jest = path.join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const began = Date.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, [jest, '--runInBand', '--ci', '--bail', ...args], {
    cwd: copy,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    // No time is spent on making a failure small.
    env: { ...process.env, ...env, TIDEGATE_SOAK_SHRINK: 'no', FORCE_COLOR: '0' },
  });
  return { green: status === 0, output: `${stdout}${stderr}`, seconds: (Date.now() - began) / 1000 };
}

/** Everything that tests read, but what is installed or built. */
function makeCopy() {
  fs.rmSync(copy, { recursive: true, force: true });
  fs.mkdirSync(copy, { recursive: true });
  for (const name of ['src', 'test', 'scripts', 'package.json', 'jest.config.js', 'tsconfig.json']) {
    fs.cpSync(path.join(root, name), path.join(copy, name), { recursive: true });
  }
  fs.symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));
}

/** @returns what puts everything back. */
function apply(fault) {
  const read = (file) => fs.readFileSync(path.join(copy, file), 'utf8');
  const changed = patched(fault, read);
  const originals = new Map([...changed.keys()].map((file) => [file, read(file)]));
  const write = (files) => {
    for (const [file, text] of files) fs.writeFileSync(path.join(copy, file), text);
  };
  write(changed);
  return () => write(originals);
}

/** Red for the reason it should be: what the tests say must match, so that a patch that breaks the program shows nothing. */
function verdictOf(fault, { green, output }) {
  if (fault.harmless) return green ? 'harmless' : 'NOT HARMLESS';
  if (green) return 'SURVIVED';
  return fault.says.test(output) ? 'caught' : 'RED FOR ANOTHER REASON';
}

/** All tests of some faults, each once; the scripts together, as they are many and short. */
function withoutFault(chosen) {
  const scripts = [...new Set(chosen.flatMap(({ tests }) => tests.filter(isScript)))];
  const others = chosen.filter(({ tests }) => !tests.some(isScript));
  const each = new Map(others.map(({ tests, named }) => [JSON.stringify([tests, named]), { tests, named }]));
  return [...(scripts.length === 0 ? [] : [{ tests: scripts }]), ...each.values()];
}

function main() {
  const { values } = parseArgs({ options: { only: { type: 'string' }, list: { type: 'boolean', default: false } } });
  const chosen = faults.filter(({ name }) => new RegExp(values.only ?? '').test(name));
  if (values.list) {
    for (const { name, tests } of chosen) console.log(`${name}: ${tests.join(', ')}`);
    return;
  }
  if (chosen.length === 0) throw new Error(`no fault's name matches ${values.only}; see --list`);
  makeCopy();
  // All first: a stale patch is found out before anything runs.
  for (const fault of chosen) apply(fault)();

  const failures = [];
  const told = (verdict, seconds, name) =>
    console.log(`${verdict.padEnd(8)} ${seconds.toFixed(0).padStart(4)} s  ${name}`);
  // Red shows something only where the same tests are green without the fault.
  for (const { tests, named } of withoutFault(chosen)) {
    const result = runTests({ tests, named });
    const which = tests.some(isScript)
      ? [`test/model/regressions (${tests.length})`]
      : [...tests, ...(named === undefined ? [] : [named])];
    const name = `no fault: ${which.join(', ')}`;
    told(result.green ? 'green' : 'RED', result.seconds, name);
    if (!result.green) failures.push({ name, ...result });
  }
  if (failures.length === 0) {
    for (const fault of chosen) {
      const putBack = apply(fault);
      const result = runTests(fault);
      putBack();
      const verdict = verdictOf(fault, result);
      told(verdict, result.seconds, fault.name);
      if (verdict !== 'caught' && verdict !== 'harmless')
        failures.push({ name: `${fault.name}: ${verdict}`, ...result });
    }
  }
  for (const { name, output } of failures) {
    console.error(`\n${name}\n${output.trimEnd().split('\n').slice(-SHOWN_LINES).join('\n')}`);
  }
  if (failures.length > 0) process.exitCode = 1;
  else console.log('Every fault was caught, and what is harmless did no harm.');
}

try {
  main();
} finally {
  fs.rmSync(copy, { recursive: true, force: true });
}
