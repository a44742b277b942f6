import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { nothingMaySkip, testUnless } from '../support/needs';

test('a test whose needs are met runs, everywhere', () => {
  expect(testUnless(null, true)).toBe(test);
  expect(testUnless(null, false)).toBe(test);
});

test('one whose needs are not met is skipped, and that is said', () => {
  const warn = jest.spyOn(console, 'warn').mockImplementation(() => {});
  expect(testUnless('no disk', false)).toBe(test.skip);
  expect(warn).toHaveBeenCalledWith('tests are skipped: no disk');
  warn.mockRestore();
});

test('as root under CI on Linux it fails instead, with the reason', () => {
  expect(() => testUnless('no disk', true)).toThrow('no disk. As root under CI no test may be skipped');
  expect(nothingMaySkip('true', 'linux', 0)).toBe(true);
  for (const [ci, platform, user] of [
    [undefined, 'linux', 0],
    ['true', 'darwin', 0],
    ['true', 'linux', 1000],
    ['true', 'win32', undefined],
  ] as const) {
    expect(nothingMaySkip(ci, platform, user)).toBe(false);
  }
});

test('no test is skipped in any other way', () => {
  const root = path.join(__dirname, '..');
  const skipping = /\b(?:it|test|describe)\.(?:skip|todo)\b|\bx(?:it|test|describe)\b/;
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && skipping.test(readFileSync(path.join(root, file), 'utf8')))
    .map((file) => path.basename(file));
  expect(files.toSorted()).toEqual(['needs.ts', 'skips.test.ts']);
});
