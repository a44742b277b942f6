import { gateKinds } from './gates/registry';
import { pipelineJsonSchema, type JsonSchema } from './json-schema';

/** A whole contract, shown in the reference; a test loads it. */
export const EXAMPLE = `# yaml-language-server: $schema=node_modules/tidegate/schema/pipeline.schema.json
pipeline: transactions
source:
  path: raw/transactions # holds date=2026-05-01/…, date=2026-05-02/…
columns:
  transaction_id: string
  updated_at: timestamp[us, UTC]
  user_id: string
  amount: decimal(12,2)
  currency: string
  transaction_receipt: string
incremental: { start: 2026-01-01, lookback: 3 }
deduplicate:
  primaryKey: transaction_id
  orderBy: updated_at
gates:
  - { kind: notNull, column: user_id }
  - { kind: inRange, column: amount, greaterThan: 0 }
  - { kind: unique, columns: [transaction_receipt] }
  - { kind: oneOf, column: currency, values: [USD, EUR] }
  - { kind: matches, column: transaction_receipt, pattern: 'R[0-9]{8}', name: receipt_form }
publish:
  path: curated/transactions
  keep: { versions: 30, days: 7 }
schedule: { cron: 15 2 * * *, timezone: UTC }
notify: { webhook: { urlFrom: TRANSACTIONS_WEBHOOK } }
`;

const INTRODUCTION = `# The contract

<!-- Generated from src/contract by \`npm run schema\`. -->

One YAML (or JSON) file describes one pipeline. Every key is listed here; an unknown key is an error, and
\`tidegate check <pipeline>\` reports every fault at once, with its line and column. The same object can be made in
TypeScript with \`definePipeline\`. For completion in an editor, begin the file with the first line of this example:

\`\`\`yaml
${EXAMPLE}\`\`\`

Files are YAML 1.2: dates, \`yes\` and \`on\` are plain text, and a key may stand only once. Numbers with more digits than
a JavaScript number holds are refused: put those for decimal and 64-bit columns in quotes.
`;

const GATES_INTRODUCTION = `## Gates

A gate adds a flag that is true where a row violates it, and is never null. Every gate sees the rows after
deduplication and is evaluated on its own. Rows whose primary key holds a null are quarantined under the reserved
gate \`primaryKey\`. A gate may name any declared column, and the partition column, whose values are dates.
Without a \`name\`, a gate is called by its kind and columns: \`notNull_user_id\`.
`;

function listType(item: string): string {
  return item.includes(' or ') ? `list of (${item})` : `list of ${item}`;
}

/** docs/contract.md: every key, type, default and meaning, from the schema. */
export function contractReference(): string {
  const schema = pipelineJsonSchema();
  const properties = Object.entries(schema.properties ?? {});
  const leaves = properties.filter(([, property]) => property.properties === undefined);
  const sections = properties.filter(([, property]) => property.properties !== undefined);
  const top = { properties: Object.fromEntries(leaves), required: schema.required };
  return [
    INTRODUCTION,
    `## Top level\n\n${table(top)}\n`,
    ...sections.map(([key, property]) => section(key, property, schema.required?.includes(key) ?? false)),
    GATES_INTRODUCTION,
    ...gateKinds.map((kind, index) => gateSection(kind, schema.properties?.['gates']?.items?.oneOf?.[index] ?? {})),
  ].join('\n');
}

function section(key: string, schema: JsonSchema, required: boolean): string {
  return `## \`${key}\`\n\n${schema.description ?? ''} ${required ? 'Required.' : 'Optional.'}\n\n${table(schema)}\n`;
}

function gateSection(kind: (typeof gateKinds)[number], schema: JsonSchema): string {
  const { kind: _kind, ...properties } = schema.properties ?? {};
  return (
    `### \`${kind.kind}\`\n\n\`\`\`yaml\n- ${kind.example}\n\`\`\`\n\n${schema.description ?? ''}\n\n` +
    `Nulls and special values: ${kind.nulls}\n\n${table({ ...schema, properties })}\n`
  );
}

function table(schema: JsonSchema): string {
  const rows = rowsOf(schema, '').map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`);
  return ['| key | type | default | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function rowsOf(schema: JsonSchema, prefix: string): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) => {
    const required = schema.required?.includes(key) ?? false;
    const fallback = required ? 'required' : defaultOf(property);
    const row = [`\`${prefix}${key}\``, typeOf(property), fallback, property.description ?? ''];
    return [row, ...rowsOf(property, `${prefix}${key}.`)];
  });
}

function defaultOf(property: JsonSchema): string {
  if (property.default === undefined || property.properties !== undefined) return '';
  return typeof property.default === 'string' ? `\`${property.default}\`` : `\`${JSON.stringify(property.default)}\``;
}

function typeOf(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return [...new Set(choices.map((choice) => typeOf(choice)))].join(' or ');
  if (Array.isArray(schema.type)) return schema.type.map((type: string) => typeOf({ type })).join(' or ');
  if (schema.type === 'array') return schema.items?.oneOf ? 'list of gates' : listType(typeOf(schema.items ?? {}));
  if (schema.type === 'object') return schema.properties === undefined ? 'mapping of text to text' : 'mapping';
  if (schema.type === 'string') return 'text';
  if (schema.type === 'integer') return 'whole number';
  return schema.type === undefined || Array.isArray(schema.type) ? 'anything' : String(schema.type);
}
