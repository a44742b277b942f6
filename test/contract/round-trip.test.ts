import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { stringify } from 'yaml';
import {
  definePipeline,
  loadContract,
  resolutionDigest,
  rowsDigest,
  toSource,
  type PipelineSource,
} from '../../src/contract';

type GateSource = NonNullable<PipelineSource['gates']>[number];

const TYPES = [
  'string',
  'int8',
  'int64',
  'uint64',
  'float64',
  'date',
  'timestamp[ms]',
  'timestamp[ns, UTC]',
  'decimal(20,4)',
] as const;
type TypeName = (typeof TYPES)[number];

const day = fc.date({ min: new Date('1900-01-01'), max: new Date('2200-01-01'), noInvalidDate: true });

/** Literals as a person may write them for a type. */
function literal(type: TypeName): fc.Arbitrary<string | number> {
  switch (type) {
    case 'string':
      return fc.string({ unit: 'grapheme' });
    case 'int8':
      return fc.integer({ min: -128, max: 127 });
    case 'int64':
      return fc.oneof(fc.integer(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String));
    case 'uint64':
      return fc.oneof(fc.nat(), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String));
    case 'float64':
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    case 'date':
      return day.map((date) => date.toISOString().slice(0, 10));
    case 'timestamp[ms]':
      return day.map((date) => date.toISOString().slice(0, -1));
    case 'timestamp[ns, UTC]':
      return fc
        .tuple(day, fc.integer({ min: 0, max: 999_999 }))
        .map(([date, ns]) => date.toISOString().replace('Z', `${String(ns).padStart(6, '0')}Z`));
    default:
      return fc
        .tuple(fc.bigInt({ min: 0n, max: 10n ** 16n - 1n }), fc.nat(9999))
        .map(([whole, rest]) => `-${whole}.${String(rest).padStart(4, '0')}`);
  }
}

const columnName = fc
  .oneof(
    fc.stringMatching(/^[a-zA-Z][\w-]{0,12}$/),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
    fc.nat(3000).map(String),
  )
  .filter(
    (name) => name.trim() !== '' && !/\p{Cc}|^_violations|^_source_|^\^.*\$$|^\*$|^date$|^__proto__$/u.test(name),
  );

const source: fc.Arbitrary<PipelineSource> = fc
  .uniqueArray(fc.tuple(columnName, fc.constantFrom(...TYPES)), {
    minLength: 2,
    maxLength: 6,
    selector: ([name]) => name,
  })
  .chain((columns) => {
    const names = columns.map(([name]) => name);
    const some = fc.shuffledSubarray(names, { minLength: 1 });
    const gate: fc.Arbitrary<GateSource> = fc.oneof(
      fc.constantFrom(...names).map((column) => ({ kind: 'notNull', column }) as const),
      some.map((picked) => ({ kind: 'unique', columns: picked }) as const),
      fc.constantFrom(...columns).chain(([column, type]) =>
        fc.oneof(
          fc.record({ kind: fc.constant('inRange' as const), column: fc.constant(column), atLeast: literal(type) }),
          fc.record({
            kind: fc.constant('oneOf' as const),
            column: fc.constant(column),
            values: literal(type).map((value) => [value]),
          }),
        ),
      ),
    );
    return fc.record(
      {
        pipeline: fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,20}$/),
        source: fc.record(
          { path: fc.constant('raw'), extraColumns: fc.constantFrom('fail' as const, 'drop' as const) },
          { requiredKeys: ['path'] },
        ),
        columns: fc.constant(Object.fromEntries(columns)),
        incremental: fc.record(
          {
            start: day.map((date) => date.toISOString().slice(0, 10)),
            lookback: fc.nat(400),
            reprocess: fc.constantFrom('changed' as const, 'always' as const),
            gone: fc.constantFrom('keep' as const, 'remove' as const),
            future: fc.constantFrom('leave' as const, 'accept' as const),
          },
          { requiredKeys: [] },
        ),
        deduplicate: fc.record({
          primaryKey: fc.oneof(some, fc.constantFrom(...names)),
          orderBy: fc.oneof(
            some,
            fc.constantFrom(...names),
            some.map((picked) => picked.map((column) => ({ column, direction: 'asc' as const }))),
          ),
          scope: fc.constantFrom('table' as const, 'partition' as const, 'window' as const),
        }),
        gates: fc
          .array(gate, { maxLength: 5 })
          .map((gates) => gates.map((made, index) => ({ ...made, name: `g${index}` }))),
        publish: fc.record(
          {
            path: fc.constant('out'),
            keep: fc.record({ versions: fc.integer({ min: 1, max: 99 }), days: fc.nat(99) }, { requiredKeys: [] }),
          },
          { requiredKeys: ['path'] },
        ),
        engine: fc.record({ memory: fc.constantFrom('256MiB', '1.5GiB', 2 ** 30 + 1) }, { requiredKeys: [] }),
        schedule: fc.oneof(
          fc.record({ every: fc.constantFrom('15m', '1d'), jitter: fc.constant('30s') }, { requiredKeys: ['every'] }),
          fc.record(
            { cron: fc.constantFrom('15 2 * * *', '@daily'), pauseOnFailure: fc.boolean() },
            { requiredKeys: ['cron'] },
          ),
        ),
        notify: fc.constant({ webhook: { urlFrom: 'HOOK' } }),
      },
      { requiredKeys: ['pipeline', 'source', 'columns', 'deduplicate', 'publish'] },
    );
  });

it('source → contract → YAML or JSON → contract is the same contract with the same digests, for any contract', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-round-trip-'));
  try {
    await fc.assert(
      fc.asyncProperty(source, fc.constantFrom('yaml', 'json'), async (written, form) => {
        const contract = definePipeline(written, { baseDir: folder });
        const path = join(folder, `contract.${form}`);
        const complete = toSource(contract);
        await writeFile(path, form === 'json' ? JSON.stringify(complete) : stringify(complete));
        const again = await loadContract(path);
        expect(again).toStrictEqual(contract);
        expect([resolutionDigest(again), rowsDigest(again)]).toEqual([
          resolutionDigest(contract),
          rowsDigest(contract),
        ]);
      }),
      { numRuns: 100 },
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});
