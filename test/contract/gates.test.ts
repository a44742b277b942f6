import { ContractError, definePipeline, describeGate, type Gate, type PipelineSource } from '../../src/contract';
import { SOUND } from './sources';

type GateSource = NonNullable<PipelineSource['gates']>[number];

function gateOf(gate: GateSource, scope: 'partition' | 'window' = 'window'): Gate {
  const [made] = definePipeline({ ...SOUND, deduplicate: { ...SOUND.deduplicate, scope }, gates: [gate] }).gates;
  return made!;
}

/** The lines of the error for these gates; they may be anything. */
function faultsOf(...gates: unknown[]): string[] {
  try {
    definePipeline({ ...SOUND, gates: gates as GateSource[] });
  } catch (error) {
    if (error instanceof ContractError) return error.message.split('\n').slice(1);
    throw error;
  }
  return [];
}

describe('literals', () => {
  it.each([
    ['amount', 0, '0'],
    ['amount', '-0012.50', '-12.5'],
    ['amount', 1e3, '1000'],
    ['big', '9223372036854775807', '9223372036854775807'],
    ['big', '42', 42],
    ['small', -128, -128],
    ['ratio', -0, 0],
    ['day', '2026-02-28', '2026-02-28'],
    ['date', '2026-02-28', '2026-02-28'],
    ['at', '2026-05-01T02:00:00+02:00', '2026-05-01T00:00:00.000000Z'],
    ['at', '2026-05-01 00:00:00.5Z', '2026-05-01T00:00:00.500000Z'],
    ['local', '2026-05-01T00:00', '2026-05-01T00:00:00.000'],
    ['email', 'a', 'a'],
  ])('on %s, %j has one normal form', (column, written, normal) => {
    const gate = gateOf({ kind: 'inRange', column, atLeast: written });
    expect(gate).toStrictEqual({ kind: 'inRange', name: `inRange_${column}`, column, atLeast: normal });
  });

  it.each([
    ['email', 5, 'text, since the column is string (put it in quotes)'],
    ['ratio', '5', 'a number, since the column is float64 (write it without quotes)'],
    ['small', 1.5, 'a whole number from -128 to 127, since the column is int8'],
    ['small', 128, 'a whole number from -128 to 127, since the column is int8'],
    [
      'big',
      '9223372036854775808',
      'a whole number from -9223372036854775808 to 9223372036854775807, since the column is int64',
    ],
    [
      'big',
      2 ** 53,
      'text for a number with this many digits, since the column is int64 (put it in quotes, so that no digit is lost)',
    ],
    [
      'amount',
      '0.001',
      'a number with at most 10 digits before the point and 2 after it, since the column is decimal(12,2)',
    ],
    [
      'amount',
      '10000000000',
      'a number with at most 10 digits before the point and 2 after it, since the column is decimal(12,2)',
    ],
    [
      'amount',
      1234567890123456,
      'text for a number with this many digits, since the column is decimal(12,2) (put it in quotes, so that no digit is lost)',
    ],
    ['amount', 'x', 'a number, since the column is decimal(12,2)'],
    ['day', '2026-02-30', 'a date as text, such as 2026-05-01, since the column is date'],
    ['day', 20260228, 'a date as text, such as 2026-05-01, since the column is date'],
    [
      'at',
      '2026-05-01T00:00:00',
      'an ISO time as text, such as 2026-05-01T12:00:00Z, with a zone, since the column is timestamp[us, UTC]',
    ],
    [
      'local',
      '2026-05-01T00:00:00Z',
      'an ISO time as text, such as 2026-05-01T12:00:00, without a zone, since the column is timestamp[ms]',
    ],
    [
      'local',
      '2026-05-01T00:00:00.0001',
      'an ISO time with at most 3 digits after the second, since the column is timestamp[ms]',
    ],
    ['raw', 'x', 'no value: binary columns can only be held to notNull and unique, since the column is binary'],
    ['ok', 1, 'true or false, since the column is boolean'],
  ])('on %s, %j is refused', (column, written, allowed) => {
    expect(faultsOf({ kind: 'inRange', column, atLeast: written })).toEqual([
      `gates[0].atLeast: the bound does not fit the column, found ${JSON.stringify(written)}; allowed: ${allowed}`,
    ]);
  });
});

describe('inRange', () => {
  it.each([
    [{}, 'gates[0]: no bound; allowed: at least one of greaterThan, atLeast, lessThan, atMost'],
    [
      { greaterThan: 1, atLeast: 1 },
      'gates[0].atLeast: greaterThan and atLeast both stand here; allowed: one of the two',
    ],
    [{ lessThan: 1, atMost: 1 }, 'gates[0].atMost: lessThan and atMost both stand here; allowed: one of the two'],
    [{ greaterThan: 9, lessThan: 10 }, null],
    [
      { greaterThan: '9.10', lessThan: '9.1' },
      'gates[0].lessThan: no value lies in this range, found "9.1"; allowed: more than the lower bound, 9.1',
    ],
    [
      { atLeast: 10, atMost: 9 },
      'gates[0].atMost: no value lies in this range, found "9"; allowed: more than the lower bound, 10',
    ],
    [{ atLeast: 10, atMost: 10 }, null],
    [
      { atLeast: 10, lessThan: 10 },
      'gates[0].lessThan: no value lies in this range, found "10"; allowed: more than the lower bound, 10',
    ],
  ])('with bounds %j', (bounds, message) => {
    expect(faultsOf({ kind: 'inRange', column: 'amount', ...bounds })).toEqual(message === null ? [] : [message]);
  });

  it('takes no NaN, no infinity and no null', () => {
    for (const bound of [Number.NaN, Number.POSITIVE_INFINITY, null]) {
      expect(faultsOf({ kind: 'inRange', column: 'ratio', atLeast: bound })).toHaveLength(1);
    }
  });
});

describe('unique', () => {
  it('takes one column or several, under either key', () => {
    expect(gateOf({ kind: 'unique', column: 'id' })).toMatchObject({ columns: ['id'], name: 'unique_id' });
    expect(gateOf({ kind: 'unique', columns: ['id', 'at'] })).toMatchObject({ name: 'unique_id_at' });
  });

  it('looks as far as the deduplication unless it says partition', () => {
    expect(gateOf({ kind: 'unique', column: 'id' }, 'window')).toMatchObject({ scope: 'window' });
    expect(gateOf({ kind: 'unique', column: 'id', scope: 'partition' }, 'window')).toMatchObject({
      scope: 'partition',
    });
    expect(() => gateOf({ kind: 'unique', column: 'id', scope: 'window' }, 'partition')).toThrow(
      'gates[0].scope: a gate looks no further than the deduplication does, found "window"',
    );
  });

  it('looks inside a partition where it names the partition column, whose value is the same there and nowhere else', () => {
    const gate: GateSource = { kind: 'unique', columns: ['id', 'date'] };
    expect(gateOf(gate)).toEqual({ kind: 'unique', name: 'unique_id_date', columns: ['id'], scope: 'partition' });
  });

  it.each([
    [
      { columns: ['date'] },
      'gates[0].columns[0]: the partition column alone is the same in every row of a partition, found "date"; allowed: further columns beside it',
    ],
    [{}, 'gates[0].columns: missing; allowed: a column name, or a list of them'],
    [{ column: 'id', columns: ['at'] }, 'gates[0].column: column and columns both stand here; allowed: one of the two'],
    [{ columns: [] }, 'gates[0].columns: not allowed, found []; allowed: a column name, or a list of them'],
    [{ columns: ['id', 'id'] }, 'gates[0].columns[1]: the column stands twice, found "id"'],
    [
      { columns: ['idd'] },
      expect.stringMatching(/^gates\[0\]\.columns\[0\]: no such column, found "idd".*did you mean "id"/),
    ],
    [
      { column: 'id', scope: 'table' },
      'gates[0].scope: a gate looks no further than the deduplication does, found "table"; allowed: window, partition, since deduplicate.scope is window',
    ],
  ])('%j is refused', (keys, message) => {
    expect(faultsOf({ kind: 'unique', ...keys })).toEqual([message]);
  });
});

describe('oneOf', () => {
  it('holds each value against the column, and wants it once', () => {
    expect(gateOf({ kind: 'oneOf', column: 'ok', values: [true] })).toMatchObject({ values: [true] });
    expect(faultsOf({ kind: 'oneOf', column: 'amount', values: [1, 'x', '1.0'] })).toEqual([
      'gates[0].values[1]: the value does not fit the column, found "x"; allowed: a number, since the column is decimal(12,2)',
      'gates[0].values[2]: the value stands twice, found "1.0"',
    ]);
    expect(faultsOf({ kind: 'oneOf', column: 'amount', values: [] })).toEqual([
      'gates[0].values: not allowed, found []; allowed: a list of one value or more',
    ]);
    expect(faultsOf({ kind: 'oneOf', column: 'email', values: [null] })).toEqual([
      'gates[0].values[0]: empty; allowed: text, a number, or true or false; a null passes this gate anyway',
    ]);
  });
});

describe('matches', () => {
  it.each(['a', '[^@\\s]+@[^@\\s]+', '[]a]', '[[:alpha:]&&[^b]]+', '(?i)(?P<x>a)|\\(', '\\d{2,3}', '\\\\'])(
    'takes %s',
    (pattern) => {
      expect(faultsOf({ kind: 'matches', column: 'email', pattern })).toEqual([]);
    },
  );

  it.each([
    ['a)|(b', 'a closing parenthesis without its opening one'],
    ['(a', 'a group that is not closed'],
    ['[a', 'a character class that is not closed'],
    ['a\\', 'a backslash at the end'],
    ['(?=a)', 'look-around, which Rust does not have'],
    ['(?<!a)b', 'look-around, which Rust does not have'],
    ['(a)\\1', 'a back-reference, which Rust does not have'],
    ['(?>a)', 'an atomic group, which Rust does not have'],
  ])('refuses %s', (pattern, problem) => {
    expect(faultsOf({ kind: 'matches', column: 'email', pattern })).toEqual([
      `gates[0].pattern: ${problem}, found ${JSON.stringify(pattern)}; allowed: a regular expression in Rust syntax`,
    ]);
  });

  it('is for string columns', () => {
    expect(faultsOf({ kind: 'matches', column: 'date', pattern: 'a' })).toEqual([
      'gates[0].column: not a string column, found "date", of type date; allowed: a column of type string',
    ]);
  });
});

describe('names', () => {
  it('must differ, default ones too, and not be the reserved one', () => {
    expect(
      faultsOf(
        { kind: 'inRange', column: 'amount', greaterThan: 0 },
        { kind: 'inRange', column: 'amount', lessThan: 9 },
        { kind: 'notNull', column: 'id', name: 'inRange_amount' },
        { kind: 'notNull', column: 'id', name: 'primaryKey' },
        { kind: 'notNull', column: 'id', name: '2x' },
      ),
    ).toEqual([
      'gates[4].name: not allowed, found "2x"; allowed: a letter, then letters, digits and underscores',
      'gates[1]: gates[0] has the same name, found "inRange_amount" (give one of the two a `name`)',
      'gates[2].name: gates[0] has the same name, found "inRange_amount"',
      'gates[3].name: this name is reserved for rows whose primary key holds a null, found "primaryKey"',
    ]);
  });

  it('are made from any column name', () => {
    const source = { ...SOUND, columns: { ...SOUND.columns, 'größe in m': 'float64' } };
    expect(definePipeline({ ...source, gates: [{ kind: 'notNull', column: 'größe in m' }] }).gates[0]?.name).toBe(
      'notNull_gr__e_in_m',
    );
  });
});

it.each<[GateSource, string]>([
  [{ kind: 'notNull', column: 'id' }, 'id is not null'],
  [{ kind: 'inRange', column: 'amount', greaterThan: 0, atMost: '10.50' }, 'amount > 0 and amount <= 10.5'],
  [{ kind: 'unique', column: 'id' }, 'id is unique in the window'],
  [{ kind: 'unique', columns: ['id', 'at'], scope: 'partition' }, '(id, at) is unique in the partition'],
  [{ kind: 'oneOf', column: 'small', values: [1, 2, 3, 4, 5, 6, 7] }, 'small in {1, 2, 3, 4, 5, … 2 more}'],
  [{ kind: 'matches', column: 'email', pattern: '.+@.+' }, 'email matches /.+@.+/'],
])('describeGate(%j)', (source, text) => {
  expect(describeGate(gateOf(source))).toBe(text);
});
