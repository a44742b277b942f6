import { definePipeline, resolutionDigest, rowsDigest, type PipelineSource } from '../../src/contract';
import { SOUND } from './sources';

const GATES: NonNullable<PipelineSource['gates']> = [
  { kind: 'notNull', column: 'id' },
  { kind: 'unique', columns: ['id', 'email'] },
  { kind: 'oneOf', column: 'small', values: [1, 2] },
];
const BASE: PipelineSource = {
  ...SOUND,
  deduplicate: { primaryKey: ['id', 'small'], orderBy: ['at', 'day'], scope: 'window' },
  gates: GATES,
};

/** Which digests differ from those of the base contract. */
function changed(changes: Partial<PipelineSource>): string {
  const [base, other] = [definePipeline(BASE), definePipeline({ ...BASE, ...changes })];
  return [
    resolutionDigest(base) === resolutionDigest(other) ? '' : 'resolution',
    rowsDigest(base) === rowsDigest(other) ? '' : 'rows',
  ]
    .filter(Boolean)
    .join(' and ');
}

const { columns, deduplicate } = BASE;
const { email, ...others } = columns;

it.each<[string, Partial<PipelineSource>, string]>([
  ['the same contract', {}, ''],
  [
    'paths, policies, retention, schedule, notices',
    {
      source: { path: 'x', extraColumns: 'drop' },
      incremental: { lookback: 9, reprocess: 'always', late: 'hold', gone: 'remove' },
      publish: { path: 'y', keep: { days: 1 } },
      engine: { memory: '512MiB' },
      schedule: { every: '1h' },
      notify: { webhook: { urlFrom: 'X' } },
    },
    '',
  ],
  ['a column more', { columns: { ...columns, more: 'int8' } }, 'resolution'],
  ['another type', { columns: { ...columns, ok: 'int8' } }, 'resolution'],
  ['another order of columns', { columns: { email: email!, ...others } }, 'resolution'],
  ['another partition column', { source: { path: 'raw', partitionColumn: 'dt' } }, 'resolution'],
  ['another primary key', { deduplicate: { ...deduplicate, primaryKey: 'id' } }, 'resolution'],
  ['the primary key in another order', { deduplicate: { ...deduplicate, primaryKey: ['small', 'id'] } }, ''],
  ['the ordering in another order', { deduplicate: { ...deduplicate, orderBy: ['day', 'at'] } }, 'resolution'],
  [
    'the ordering spelled out',
    { deduplicate: { ...deduplicate, orderBy: [{ column: 'at', direction: 'desc' }, 'day'] } },
    '',
  ],
  [
    'another direction',
    { deduplicate: { ...deduplicate, orderBy: [{ column: 'at', direction: 'asc' }, 'day'] } },
    'resolution',
  ],
  ['a unique gate less', { gates: [GATES[0]!, GATES[2]!] }, 'resolution and rows'],
  [
    'a unique gate over columns in another order',
    { gates: [GATES[0]!, { kind: 'unique', columns: ['email', 'id'], name: 'unique_id_email' }, GATES[2]!] },
    '',
  ],
  [
    'a unique gate of another scope',
    { gates: [GATES[0]!, { kind: 'unique', columns: ['id', 'email'], scope: 'partition' }, GATES[2]!] },
    'resolution',
  ],
  ['a row gate less', { gates: GATES.slice(0, 2) }, 'rows'],
  ['a row gate of another name', { gates: [{ kind: 'notNull', column: 'id', name: 'x' }, ...GATES.slice(1)] }, 'rows'],
  [
    'a row gate with another parameter',
    { gates: [...GATES.slice(0, 2), { kind: 'oneOf', column: 'small', values: [1, 2, 3] }] },
    'rows',
  ],
  [
    'values in another order',
    { gates: [...GATES.slice(0, 2), { kind: 'oneOf', column: 'small', values: [2, 1] }] },
    '',
  ],
  [
    'values spelled another way',
    { gates: [...GATES.slice(0, 2), { kind: 'oneOf', column: 'small', values: ['1', 2] }] },
    '',
  ],
  ['gates in another order, which is that of the violations', { gates: [GATES[1]!, GATES[0]!, GATES[2]!] }, 'rows'],
])('%s changes what it should', (_, changes, expected) => {
  expect(changed(changes)).toBe(expected);
});

it('another scope changes the resolution', () => {
  const gates = [GATES[0]!];
  const [one, other] = (['window', 'partition'] as const).map((scope) =>
    definePipeline({ ...BASE, gates, deduplicate: { ...deduplicate, scope } }),
  );
  expect(resolutionDigest(one!)).not.toBe(resolutionDigest(other!));
  expect(rowsDigest(one!)).toBe(rowsDigest(other!));
});

it('digests are stable over releases', () => {
  const contract = definePipeline(BASE);
  expect(resolutionDigest(contract)).toMatch(/^[0-9a-f]{64}$/);
  expect([resolutionDigest(contract), rowsDigest(contract)]).toMatchInlineSnapshot(`
[
  "b3d79a07860773c648a42c73fa72de46017c89268fc6b281643fa02d26016957",
  "5b1e68a63ac613237cf58b417bb4c1ffb9d266cb6dcbd1a714ba696534d522a6",
]
`);
});
