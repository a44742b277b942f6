import type { Value } from '../support/oracle';
import { contractOf, expectLikeOracle, float64, int64, newFolder, text, writeZone } from './support';

const DAY1 = 'date=2026-05-01/a.parquet';
const DAY1_LATER = 'date=2026-05-01/b.parquet';
const DAY2 = 'date=2026-05-02/a.parquet';
/** Everything goes to disk, and everything is settled a few rows at a time. */
const TINY = { hashesInMemory: 0, candidatesAtATime: 25, rowsAtATime: 16 };

const columns = [int64('id'), float64('at'), text('what')];
type Line = readonly [id: Value, at: Value, what: Value];
const file = (path: string, lines: readonly Line[]) => ({
  path,
  columns: [
    ['id', 'int64', lines.map(([id]) => id)],
    ['at', 'float64', lines.map(([, at]) => at)],
    ['what', 'string', lines.map(([, , what]) => what)],
  ] as const,
});

describe('resolving keys', () => {
  test('the newest row of a key wins, and the last one written when they tie', async () => {
    const contract = contractOf(newFolder(), { columns });
    await writeZone(contract, [
      file(DAY1, [
        ['1', '10', 'old'],
        ['1', '20', 'new'],
        ['2', '5', 'tied, first row'],
        ['2', '5', 'tied, later row'],
        ['3', '5', 'tied, first file'],
      ]),
      file(DAY1_LATER, [['3', '5', 'tied, later file']]),
    ]);
    const { expected } = await expectLikeOracle(contract, [DAY1, DAY1_LATER]);
    expect(expected.curated.map((row) => row[3])).toEqual(['new', 'tied, later row', 'tied, later file']);
    expect(expected.counts['2026-05-01']).toMatchObject({ read: 6, superseded: 3, ambiguous: 2 });
  });

  test.each(['desc', 'asc'] as const)('null and NaN lose when ordered %s', async (direction) => {
    const contract = contractOf(newFolder(), { columns, orderBy: [{ column: 'at', direction }] });
    await writeZone(contract, [
      file(DAY1, [
        ['1', '1', 'a number'],
        ['1', null, 'null'],
        ['2', '1', 'a number'],
        ['2', 'nan', 'NaN'],
        ['3', 'nan', 'NaN, first'],
        ['3', null, 'null, later'],
        ['4', '-inf', 'infinite'],
        ['4', 'nan', 'NaN'],
        ['5', 'inf', 'infinite'],
        ['5', '-0.0', 'zero'],
        ['5', '0.0', 'zero again'],
      ]),
    ]);
    const { expected } = await expectLikeOracle(contract, [DAY1]);
    expect(expected.counts['2026-05-01']?.published).toBe(5);
  });

  test('several ordering columns each keep their direction', async () => {
    const orderBy = [
      { column: 'at', direction: 'asc' },
      { column: 'what', direction: 'desc' },
    ] as const;
    const contract = contractOf(newFolder(), { columns, orderBy });
    await writeZone(contract, [
      file(DAY1, [
        ['1', '1', 'b'],
        ['1', '1', 'c'],
        ['1', '2', 'z'],
        ['1', '1', null],
        ['2', '1', 'é'],
        ['2', '1', 'f'],
        ['2', '1', '😀'],
        ['2', '1', '\uffff'],
      ]),
    ]);
    const { expected } = await expectLikeOracle(contract, [DAY1]);
    // UTF-8 order, in which the emoji is greater than U+FFFF; in UTF-16 it is not.
    expect(expected.curated.map((row) => row[3])).toEqual(['c', '😀']);
  });

  test('a key with a null part is never deduplicated and always quarantined, with its other violations', async () => {
    const contract = contractOf(newFolder(), {
      columns,
      primaryKey: ['id', 'what'],
      gates: [
        { kind: 'unique', name: 'at_unique', columns: ['at'], scope: 'partition' },
        { kind: 'inRange', name: 'at_range', column: 'at', greaterThan: 0 },
      ],
    });
    await writeZone(contract, [
      file(DAY1, [
        [null, '-1', 'x'],
        [null, '-1', 'x'],
        ['1', '7', null],
        ['1', '7', 'x'],
        [null, null, null],
      ]),
    ]);
    const { expected } = await expectLikeOracle(contract, [DAY1]);
    expect(expected.quarantine.map((row) => row[4])).toEqual([
      ['primaryKey', 'at_range'],
      ['primaryKey', 'at_range'],
      ['primaryKey'],
      ['primaryKey'],
    ]);
  });

  test('NaN keys are equal, and so are -0 and 0', async () => {
    const contract = contractOf(newFolder(), {
      columns,
      primaryKey: ['at'],
      orderBy: [{ column: 'id', direction: 'desc' }],
    });
    await writeZone(contract, [
      file(DAY1, [
        ['1', 'nan', 'NaN'],
        ['2', 'nan', 'NaN'],
        ['1', '-0.0', 'minus zero'],
        ['2', '0.0', 'zero'],
      ]),
    ]);
    const { expected } = await expectLikeOracle(contract, [DAY1]);
    expect(expected.counts['2026-05-01']).toMatchObject({ superseded: 2, published: 2 });
  });

  test.each(['partition', 'window'] as const)('scope %s resolves over its partitions and no more', async (scope) => {
    const contract = contractOf(newFolder(), {
      columns,
      scope,
      gates: [
        { kind: 'unique', name: 'what_unique', columns: ['what'], scope },
        { kind: 'unique', name: 'what_unique_a_day', columns: ['what'], scope: 'partition' },
      ],
    });
    await writeZone(contract, [
      file(DAY1, [
        ['1', '1', 'only old'],
        ['2', '9', 'newer though earlier'],
        ['3', '1', 'twice'],
        ['4', '3', 'tied'],
        ['6', '1', 'within'],
        ['7', '1', 'within'],
      ]),
      file(DAY2, [
        ['1', '2', 'new'],
        ['2', '8', 'older'],
        ['5', '1', 'twice'],
        ['4', '3', 'tied, later path'],
      ]),
    ]);
    const { expected } = await expectLikeOracle(contract, [DAY1, DAY2]);
    expect(expected.counts['2026-05-01']?.superseded).toBe(scope === 'window' ? 2 : 0);
    expect(expected.counts['2026-05-02']?.ambiguous).toBe(scope === 'window' ? 1 : 0);
  });

  test('unique looks at winners only, at rows that other gates reject, and not at nulls', async () => {
    const contract = contractOf(newFolder(), {
      columns: [...columns, float64('amount')],
      gates: [
        { kind: 'inRange', name: 'positive', column: 'amount', greaterThan: 0 },
        { kind: 'unique', name: 'pair', columns: ['what', 'amount'], scope: 'partition' },
      ],
    });
    const lines: (readonly [Value, Value, Value, Value])[] = [
      ['1', '1', 'a', '5'], // superseded: leaves its pair to the next
      ['1', '2', 'b', '5'],
      ['2', '1', 'a', '5'],
      ['3', '1', 'c', '-1'], // rejected, and still counts
      ['4', '1', 'c', '-1'],
      ['5', '1', null, '5'], // a null part passes
      ['6', '1', null, '5'],
      ['7', '1', 'd', 'nan'], // NaN equals NaN
      ['8', '1', 'd', 'nan'],
      ['9', '1', 'e', '-0.0'],
      ['10', '1', 'e', '0.0'],
    ];
    await writeZone(contract, [
      {
        path: DAY1,
        columns: [
          ['id', 'int64', lines.map((line) => line[0])],
          ['at', 'float64', lines.map((line) => line[1])],
          ['what', 'string', lines.map((line) => line[2])],
          ['amount', 'float64', lines.map((line) => line[3])],
        ],
      },
    ]);
    const { expected } = await expectLikeOracle(contract, [DAY1]);
    expect(expected.counts['2026-05-01']?.violations).toEqual({ primaryKey: 0, positive: 6, pair: 6 });
  });

  test('a tie is ambiguous only when the rows differ, where null equals null and NaN equals NaN', async () => {
    const contract = contractOf(newFolder(), { columns: [...columns, float64('amount')] });
    const lines: (readonly [Value, Value, Value, Value])[] = [
      ['1', '1', null, 'nan'],
      ['1', '1', null, 'nan'],
      ['2', '1', null, '1'],
      ['2', '1', 'x', '1'],
      ['3', null, 'same', '1'],
      ['3', 'nan', 'same', '1'],
      ['4', '1', 'same', '0.0'],
      ['4', '1', 'same', '-0.0'],
      ['5', '1', 'differs, but does not tie with the winner', '1'],
      ['5', '1', 'nor this', '1'],
      ['5', '2', 'winner', '1'],
    ];
    await writeZone(contract, [
      {
        path: DAY1,
        columns: [
          ['id', 'int64', lines.map((line) => line[0])],
          ['at', 'float64', lines.map((line) => line[1])],
          ['what', 'string', lines.map((line) => line[2])],
          ['amount', 'float64', lines.map((line) => line[3])],
        ],
      },
    ]);
    const { expected } = await expectLikeOracle(contract, [DAY1]);
    expect(expected.counts['2026-05-01']?.ambiguous).toBe(2);
  });

  test('a file delivered twice is settled in batches, to the same result', async () => {
    const contract = contractOf(newFolder(), { columns, scope: 'window' });
    const lines = Array.from({ length: 50 }, (_, i): Line => [String(i), String(i % 3), `row ${i}`]);
    const changed = lines.map(([id, at, what], i): Line => [id, at, i % 10 === 0 ? 'changed' : what]);
    await writeZone(contract, [file(DAY1, lines), file(DAY1_LATER, lines), file(DAY2, changed)]);
    const paths = [DAY1, DAY1_LATER, DAY2];
    const { run, expected } = await expectLikeOracle(contract, paths);
    expect(expected.counts['2026-05-02']?.ambiguous).toBe(5);
    const again = await expectLikeOracle(contract, paths, TINY);
    expect(again.run.results.map(({ counts }) => counts)).toEqual(run.results.map(({ counts }) => counts));
  });

  test.each([
    ['int64', { kind: 'int64' }, ['9007199254740992', '9007199254740993', null]],
    ['uint64', { kind: 'uint64' }, ['18446744073709551614', '18446744073709551615', null]],
    ['string', { kind: 'string' }, ['a', 'b', null]],
    ['binary', { kind: 'binary' }, ['00', 'ff', null]],
    ['boolean', { kind: 'boolean' }, [false, true, null]],
    ['date', { kind: 'date' }, ['-1', '20574', null]],
    [
      'decimal(38,2)',
      { kind: 'decimal', precision: 38, scale: 2 },
      ['-0.01', '123456789012345678901234567890.12', null],
    ],
    [
      'timestamp[ns, UTC]',
      { kind: 'timestamp', unit: 'ns', zoned: true },
      ['1777636800000000001', '1777636800000000002', null],
    ],
  ] as const)('keys, ordering and uniqueness work on %s', async (stored, type, values) => {
    for (const direction of ['desc', 'asc'] as const) {
      const typed = ['key', 'order', 'value'].map((name) => ({ name, type }));
      const contract = contractOf(newFolder(), {
        columns: typed,
        primaryKey: ['key'],
        orderBy: [{ column: 'order', direction }],
        gates: [{ kind: 'unique', name: 'once', columns: ['value'], scope: 'partition' }],
      });
      const all = values.flatMap((key) => values.flatMap((order) => values.map((value) => [key, order, value])));
      const lines = [...all, [values[0], null, values[1]], [values[0], null, values[1]]];
      await writeZone(contract, [
        { path: DAY1, columns: typed.map(({ name }, i) => [name, stored, lines.map((line) => line[i]!)] as const) },
        // Only nulls to order by.
        {
          path: DAY2,
          columns: typed.map(
            ({ name }, i) =>
              [name, stored, [0, 1].map((n) => (i === 1 ? null : values[n]!)).concat(values[0])] as const,
          ),
        },
      ]);
      await expectLikeOracle(contract, [DAY1, DAY2]);
    }
  });
});
