'use strict';
/** The peers' environment, and cases in it. */
const { join } = require('node:path');
const { ensureEnvironment, interpreterOf } = require('../../scripts/python-env');
const { dateOf } = require('./data');
const { runCase } = require('./measure');

const REQUIREMENTS = join(__dirname, '..', 'requirements.txt');

class Peers {
  #place;

  constructor(cache) {
    this.#place = { cache, requirements: REQUIREMENTS };
  }

  async install() {
    await ensureEnvironment(this.#place, 'The peers of the benchmark need it; `--no-peers` goes without.');
  }

  /** Runs a script of `bench/cases`. */
  async run(file, task) {
    const dates = Array.from({ length: task.days ?? 0 }, (_, day) => dateOf(day));
    return runCase(
      { command: interpreterOf(this.#place), args: [join(__dirname, '..', 'cases', file)] },
      { dates, ...task },
    );
  }

  /** `{ curated: { rows, digest }, quarantine }` of what a case left in a folder. */
  async digest(folder) {
    const { failed, mebibytes: _, ...digest } = await this.run('digest.py', { folder });
    if (failed !== undefined) throw new Error(`the digest of ${folder} failed: ${failed}`);
    return digest;
  }
}

module.exports = { Peers };
