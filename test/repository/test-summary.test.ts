import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'tidegate-summary-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

interface Result {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  numRuntimeErrorTestSuites: number;
  testResults: object[];
}
const result = (changes: Partial<Result>): Result => ({
  numPassedTests: 0,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  numRuntimeErrorTestSuites: 0,
  testResults: [],
  ...changes,
});

function summarise(content: Result | string | null, status: number): { code: number | null; lines: string[] } {
  const file = path.join(dir, 'result.json');
  if (content !== null) writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  const script = path.join(__dirname, '..', '..', 'scripts', 'test-summary.js');
  const run = spawnSync(process.execPath, [script, file, String(status)], { encoding: 'utf8' });
  return { code: run.status, lines: run.stdout.trim().split('\n') };
}

test('all passed', () => {
  expect(summarise(result({ numPassedTests: 7 }), 0)).toEqual({ code: 0, lines: ['7 passed, 0 failed'] });
});

test('skipped tests are counted', () => {
  expect(summarise(result({ numPassedTests: 7, numPendingTests: 1, numTodoTests: 1 }), 0).lines).toEqual([
    '7 passed, 0 failed, 2 skipped',
  ]);
});

test('failed tests are named', () => {
  const testResults = [{ name: 'a.test.ts', assertionResults: [{ status: 'failed', fullName: 'publishes once' }] }];
  const { code, lines } = summarise(result({ numPassedTests: 7, numFailedTests: 1, testResults }), 1);
  expect(code).toBe(1);
  expect(lines).toEqual(['Failed:', '  publishes once', '', '7 passed, 1 failed']);
});

test('a file that could not run is a failure', () => {
  const testResults = [{ name: 'a.test.ts', status: 'failed', assertionResults: [] }];
  const { code, lines } = summarise(result({ numPassedTests: 7, numRuntimeErrorTestSuites: 1, testResults }), 1);
  expect(code).toBe(1);
  expect(lines).toEqual(['Failed:', '  a.test.ts could not run', '', '7 passed, 1 failed']);
});

test.each([
  ['a step before the tests failed', null, 2],
  ['the result cannot be read', '{', 0],
  ['there were no tests', result({}), 0],
  ['the tests passed and their process failed', result({ numPassedTests: 7 }), 1],
])('it is never a success when %s', (_, content, status) => {
  const { code, lines } = summarise(content, status);
  expect(code).toBe(1);
  expect(lines.at(-1)).toMatch(/^\d+ passed, 1 failed$/);
});
