import { existsSync } from 'node:fs';
import { join } from 'node:path';

const { LONGEST } = require('../support/longest-first') as { readonly LONGEST: readonly string[] };

test('the test files that are begun first are there', () => {
  expect(LONGEST.length).toBeGreaterThan(0);
  expect(LONGEST.filter((path) => !existsSync(join(__dirname, '../..', path)))).toEqual([]);
});
