// Writes what is published of the schemas: schema/pipeline.schema.json, docs/contract.md and schema/report.schema.json.
// Run by `npm run schema`, after a build.
const { mkdirSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const { pipelineJsonSchema } = require('../dist/contract/json-schema');
const { contractReference } = require('../dist/contract/reference');
const { reportJsonSchema } = require('../dist/quality/report-schema');

const root = path.join(__dirname, '..');
for (const folder of ['schema', 'docs']) mkdirSync(path.join(root, folder), { recursive: true });
writeFileSync(path.join(root, 'schema/pipeline.schema.json'), `${JSON.stringify(pipelineJsonSchema(), null, 2)}\n`);
writeFileSync(path.join(root, 'docs/contract.md'), contractReference());
writeFileSync(path.join(root, 'schema/report.schema.json'), `${JSON.stringify(reportJsonSchema(), null, 2)}\n`);
