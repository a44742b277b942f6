import type { Column, ColumnType, Gate, RowGate } from '../../src/contract/contract';
import type { Value } from '../support/oracle';
import { contractOf, expectLikeOracle, int64, newFolder, planOf, runEngine, writeZone } from './support';

const PATH = 'date=2026-05-01/a.parquet';
const FAR = 9_007_199_254_740_993n;

interface Case {
  readonly type: ColumnType;
  /** As PyArrow names it. */
  readonly stored: string;
  readonly values: readonly Value[];
  readonly gates: readonly (
    | {
        readonly greaterThan?: string | number;
        readonly atLeast?: string | number;
        readonly lessThan?: string | number;
        readonly atMost?: string | number;
      }
    | { readonly oneOf: readonly (string | number | boolean)[] }
    | { readonly matches: string }
  )[];
}

function gatesOf({ gates }: Case): RowGate[] {
  const rules = gates.map((rule, i): RowGate => {
    const base = { name: `gate ${i}`, column: 'v' };
    if ('oneOf' in rule) return { ...base, kind: 'oneOf', values: rule.oneOf };
    if ('matches' in rule) return { ...base, kind: 'matches', pattern: rule.matches };
    return { ...base, kind: 'inRange', ...rule };
  });
  return [...rules, { kind: 'notNull', name: 'present', column: 'v' }];
}

async function holdAgainstOracle(given: Case): Promise<Record<string, number>> {
  const v: Column = { name: 'v', type: given.type };
  const contract = contractOf(newFolder('gates'), {
    columns: [int64('id'), v],
    orderBy: [{ column: 'id', direction: 'desc' }],
    gates: gatesOf(given),
  });
  const ids = given.values.map((_, i) => String(i));
  await writeZone(contract, [
    {
      path: PATH,
      columns: [
        ['id', 'int64', ids],
        ['v', given.stored, given.values],
      ],
    },
  ]);
  const { expected } = await expectLikeOracle(contract, [PATH]);
  return { ...expected.counts['2026-05-01']!.violations };
}

describe('row-wise gates, against the oracle', () => {
  test('floats: NaN violates, infinities compare, -0 equals 0, null passes', async () => {
    const violations = await holdAgainstOracle({
      type: { kind: 'float64' },
      stored: 'float64',
      values: ['nan', 'inf', '-inf', '0.0', '-0.0', '0.1', '1.5', '-3', null],
      gates: [
        { greaterThan: 0 },
        { atLeast: 0 },
        { lessThan: 0.1 },
        { atMost: 0.1 },
        { atLeast: -3, lessThan: 1.5 },
        { oneOf: [0, 1.5] },
        { greaterThan: 5, lessThan: 1 },
      ],
    });
    expect(violations).toMatchObject({ 'gate 0': 5, 'gate 5': 5, present: 1 });
  });

  test('float32: a literal is the nearest float32, as the column would store it', async () => {
    await holdAgainstOracle({
      type: { kind: 'float32' },
      stored: 'float32',
      values: ['0.1', '0.2', '16777216', '16777218', 'nan', null],
      gates: [{ atMost: 0.1 }, { greaterThan: 0.1 }, { oneOf: [0.1, 16_777_217] }, { atLeast: 0.2 }],
    });
  });

  test('int64 beyond 2^53 and fractional, huge or exponent literals compare exactly', async () => {
    const violations = await holdAgainstOracle({
      type: { kind: 'int64' },
      stored: 'int64',
      values: [
        String(FAR - 1n),
        String(FAR),
        String(FAR + 1n),
        '0',
        '1',
        '-1',
        '-9223372036854775808',
        '9223372036854775807',
        null,
      ],
      gates: [
        { greaterThan: String(FAR) },
        { atMost: String(FAR) },
        { oneOf: [String(FAR), 1] },
        { greaterThan: 0.5 },
        { atLeast: '-0.5', lessThan: '1e0' },
        { atMost: '1e30' },
        { greaterThan: '99999999999999999999' },
        { oneOf: [0.5, '1e30'] },
        { oneOf: [] },
        { atLeast: '-9223372036854775808', atMost: '9223372036854775807' },
      ],
    });
    expect(violations).toMatchObject({ 'gate 2': 6, 'gate 5': 0, 'gate 6': 8, 'gate 7': 8, 'gate 8': 8, 'gate 9': 0 });
  });

  test.each(['int8', 'int16', 'int32', 'uint8', 'uint16', 'uint32', 'uint64'] as const)('%s', async (kind) => {
    const top = {
      int8: 127n,
      int16: 32767n,
      int32: 2n ** 31n - 1n,
      uint8: 255n,
      uint16: 65535n,
      uint32: 2n ** 32n - 1n,
      uint64: 2n ** 64n - 1n,
    }[kind];
    await holdAgainstOracle({
      type: { kind },
      stored: kind,
      values: ['0', '1', String(top - 1n), String(top), null],
      gates: [
        { greaterThan: 0 },
        { atMost: String(top - 1n) },
        { atLeast: -5 },
        { lessThan: -5 },
        { lessThan: '18446744073709551615' },
        { oneOf: [1, String(top), '-1'] },
      ],
    });
  });

  test('decimals compare by all their digits', async () => {
    await holdAgainstOracle({
      type: { kind: 'decimal', precision: 38, scale: 10 },
      stored: 'decimal(38,10)',
      values: [
        '0.0000000000',
        '0.0000000001',
        '-0.0000000001',
        '1234567890123456789012345678.0000000001',
        '12.3000000000',
        null,
      ],
      gates: [
        { greaterThan: 0 },
        { greaterThan: '0.00000000005' },
        { lessThan: '0.0000000001' },
        { atLeast: '1234567890123456789012345678.0000000001' },
        { oneOf: ['12.3', '0.0000000001', '0.00000000001'] },
        { atMost: '1e40' },
      ],
    });
  });

  test.each(['ms', 'us', 'ns'] as const)(
    'timestamps in %s, zoned and not, against literals finer than they are',
    async (unit) => {
      const perSecond = { ms: 10n ** 3n, us: 10n ** 6n, ns: 10n ** 9n }[unit];
      const noon = 1_777_636_800n * perSecond; // 2026-05-01T12:00:00Z
      const values = [noon - 1n, noon, noon + 1n, -1n, 0n].map(String);
      const bounds = (zone: string): Case['gates'] => [
        { greaterThan: `2026-05-01T12:00:00${zone}` },
        { atLeast: `2026-05-01T12:00:00.000000001${zone}` },
        { atMost: `2026-05-01T11:59:59.999999999${zone}` },
        { lessThan: `2026-05-01T12:00:00.0000005${zone}` },
        {
          oneOf: [
            `2026-05-01T12:00:00${zone}`,
            `1970-01-01T00:00:00${zone}`,
            `2026-05-01T12:00:00.0000000001`.slice(0, 29) + zone,
          ],
        },
        { atLeast: '2026-05-01' },
      ];
      await holdAgainstOracle({
        type: { kind: 'timestamp', unit, zoned: false },
        stored: `timestamp[${unit}]`,
        values: [...values, null],
        gates: bounds(''),
      });
      await holdAgainstOracle({
        type: { kind: 'timestamp', unit, zoned: true },
        stored: `timestamp[${unit}, UTC]`,
        values: [...values, null],
        gates: [...bounds('Z').slice(0, 5), { greaterThan: '2026-05-01T14:00:00+02:00' }],
      });
    },
  );

  test('dates', async () => {
    await holdAgainstOracle({
      type: { kind: 'date' },
      stored: 'date',
      values: ['20574', '20573', '20575', '-1', '0', null],
      gates: [
        { greaterThan: '2026-05-01' },
        { atLeast: '1970-01-01', atMost: '2026-05-01' },
        { oneOf: ['2026-05-01', '1969-12-31'] },
      ],
    });
  });

  test('text compares by UTF-8 bytes; booleans are listed', async () => {
    await holdAgainstOracle({
      type: { kind: 'string' },
      stored: 'string',
      values: ['', 'a', 'b', 'é', '\uffff', '😀', null],
      gates: [{ greaterThan: 'a' }, { lessThan: '\uffff' }, { oneOf: ['a', '😀', ''] }, { oneOf: [] }],
    });
    await holdAgainstOracle({
      type: { kind: 'boolean' },
      stored: 'boolean',
      values: [true, false, null],
      gates: [{ oneOf: [true] }],
    });
  });

  test('a pattern must match the whole value, whatever its alternations, lines and comments', async () => {
    const violations = await holdAgainstOracle({
      type: { kind: 'string' },
      stored: 'string',
      values: ['a', 'b', 'ab', 'a\n', 'a\nb', '\na', 'A', '', 'ba', null],
      gates: [
        { matches: 'a|b' },
        { matches: '(?:a|ab)' },
        { matches: '(?i)a' },
        { matches: '(?m)a$' },
        { matches: '(?x) a # the letter' },
        { matches: 'a?' },
        { matches: '^a$' },
        { matches: '.*' },
        { matches: '(?s).*' },
      ],
    });
    expect(violations).toMatchObject({ 'gate 0': 7, 'gate 2': 7, 'gate 4': 8, 'gate 8': 0 });
  });
});

describe('gates', () => {
  const rejects = async (gate: Gate): Promise<unknown> => {
    const contract = contractOf(newFolder('gates'), {
      columns: [int64('id'), { name: 'v', type: { kind: 'string' } }],
      orderBy: [{ column: 'id', direction: 'desc' }],
      gates: [gate],
    });
    await writeZone(contract, [
      {
        path: PATH,
        columns: [
          ['id', 'int64', ['1']],
          ['v', 'string', ['x']],
        ],
      },
    ]);
    return runEngine(contract, await planOf(contract, [PATH])).then(
      () => null,
      (error: unknown) => error,
    );
  };

  test.each(['(', 'a)|(?:b', '[', '(?<name', '\\'])(
    'the pattern %s is refused, by its gate and in full',
    async (pattern) => {
      expect(await rejects({ kind: 'matches', name: 'shape', column: 'v', pattern })).toMatchObject({
        type: 'ContractError',
        message: expect.stringContaining(`gate shape: ${JSON.stringify(pattern)}`),
      });
    },
  );

  test('a literal that is none of the column is refused with what was expected', async () => {
    const gate: Gate = { kind: 'inRange', name: 'range', column: 'id', greaterThan: 'many' };
    expect(await rejects(gate)).toMatchObject({
      type: 'ContractError',
      message: expect.stringContaining('gate range on column id: expected a number'),
    });
  });

  test('may look at the partition column, which is the folder’s date in every row', async () => {
    const contract = contractOf(newFolder('gates'), {
      columns: [int64('id')],
      orderBy: [{ column: 'id', direction: 'desc' }],
      gates: [
        { kind: 'inRange', name: 'since', column: 'date', atLeast: '2026-05-02' },
        { kind: 'oneOf', name: 'known', column: 'date', values: ['2026-05-01'] },
        { kind: 'notNull', name: 'dated', column: 'date' },
      ],
    });
    const paths = [PATH, 'date=2026-05-02/a.parquet'];
    await writeZone(
      contract,
      paths.map((path) => ({ path, columns: [['id', 'int64', ['1', '2']]] as const })),
    );
    const { expected } = await expectLikeOracle(contract, paths);
    expect(expected.quarantine.map((row) => row[2])).toEqual([['since'], ['since'], ['known'], ['known']]);
  });
});
