import { readFileSync } from 'node:fs';
import path from 'node:path';
import { reportJsonSchema } from '../../src/quality';

test('schema/report.schema.json is that of the code (else: npm run schema)', () => {
  const file = path.join(__dirname, '../../schema/report.schema.json');
  const published: unknown = JSON.parse(readFileSync(file, 'utf8'));
  expect(published).toEqual(JSON.parse(JSON.stringify(reportJsonSchema())));
});
