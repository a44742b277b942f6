'use strict';
/**
 * Makes thousands of random histories happen to small tables, and holds every version of each against the
 * oracle in SQL: npm run soak:model -- --runs 5000 --seed 7
 */
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { parseArgs } = require('node:util');

const whole = (text, name) => {
  if (!/^\d+$/.test(text)) throw new Error(`--${name} is a whole number, found ${text}`);
  return text;
};

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '2000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
});
const jest = path.join(path.dirname(require.resolve('jest/package.json')), 'bin', 'jest.js');
const { status } = spawnSync(process.execPath, [jest, '--runInBand', '--testMatch', '**/model/soak.ts'], {
  cwd: path.join(__dirname, '..'),
  stdio: 'inherit',
  env: {
    ...process.env,
    TIDEGATE_SOAK_RUNS: whole(values.runs, 'runs'),
    TIDEGATE_SOAK_SEED: whole(values.seed, 'seed'),
  },
});
process.exitCode = status ?? 1;
