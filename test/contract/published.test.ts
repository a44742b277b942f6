import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipelineJsonSchema } from '../../src/contract/json-schema';
import { contractReference } from '../../src/contract/reference';

const root = join(__dirname, '../..');

it('schema/pipeline.schema.json is that of the code (else: npm run schema)', () => {
  const published: unknown = JSON.parse(readFileSync(join(root, 'schema/pipeline.schema.json'), 'utf8'));
  expect(published).toEqual(JSON.parse(JSON.stringify(pipelineJsonSchema())));
});

it('docs/contract.md is that of the code (else: npm run schema)', () => {
  expect(readFileSync(join(root, 'docs/contract.md'), 'utf8')).toBe(contractReference());
});

it('the reference says what every key means', () => {
  const rows = contractReference()
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  expect(rows.length).toBeGreaterThan(40);
  expect(rows.filter((row) => /\|\s*\|$/.test(row))).toEqual([]);
});
