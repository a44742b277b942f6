'use strict';
const { default: Sequencer } = require('@jest/test-sequencer');

/** Test files that take minutes, the longest first. */
const LONGEST = [
  'e2e/storage-faults',
  'e2e/soak',
  'model/model',
  'examples/cdnow',
  'e2e/crashes',
  'publish/delta/table-faults',
  'cli/going-back',
].map((name) => `/test/${name}.test.ts`);

const rankOf = ({ path }) => {
  const rank = LONGEST.findIndex((name) => path.endsWith(name));
  return rank === -1 ? LONGEST.length : rank;
};

/**
 * A clean clone knows no durations, and Jest then begins with the largest files. What takes longest is not among them,
 * and at the end would keep one worker busy while the others have nothing left.
 */
module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    // oxlint-disable-next-line unicorn/no-array-sort -- Jest's, not an array's
    return super.sort(tests).toSorted((a, b) => rankOf(a) - rankOf(b));
  }
};
module.exports.LONGEST = LONGEST;
