'use strict';
/**
 * node scripts/test-summary.js <jest's JSON result> <exit code so far>: prints the names of what
 * failed, then "N passed, N failed[, N skipped]". A test file that could not run counts as one
 * failure, and so does a step that failed before or beside the tests. Fails unless all passed.
 */
const fs = require('node:fs');

const [file, status] = process.argv.slice(2);

function read() {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

const result = read();
let passed = 0;
let failed = 0;
let skipped = 0;
const failures = [];
if (result !== null) {
  passed = result.numPassedTests;
  failed = result.numFailedTests + result.numRuntimeErrorTestSuites;
  skipped = result.numPendingTests + result.numTodoTests;
  for (const suite of result.testResults) {
    for (const test of suite.assertionResults) if (test.status === 'failed') failures.push(test.fullName);
    if (suite.assertionResults.length === 0 && suite.status === 'failed') failures.push(`${suite.name} could not run`);
  }
}
if (status !== '0' && failed === 0) failed = 1;
// No result, or no test at all, is never a success.
if (passed === 0 && failed === 0) failed = 1;

if (failures.length > 0) console.log(`\nFailed:\n${failures.map((name) => `  ${name}`).join('\n')}`);
console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 ? 1 : 0;
