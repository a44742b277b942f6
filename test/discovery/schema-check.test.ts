import { parseColumnType } from '../../src/contract';
import { type Footer, checkSchema, describeFaults, widens } from '../../src/discovery';
import { contractFor } from './zone';

const INTS = ['int8', 'int16', 'int32', 'int64'];
const UINTS = ['uint8', 'uint16', 'uint32', 'uint64'];
const OTHERS = ['boolean', 'string', 'binary', 'date', 'float32', 'float64'].concat([
  'decimal(9,2)',
  'decimal(12,2)',
  'decimal(12,5)',
  'decimal(10,3)',
  'decimal(38,0)',
]);
const ALL = [
  ...INTS,
  ...UINTS,
  ...OTHERS,
  ...['ms', 'us', 'ns'].flatMap((unit) => [`timestamp[${unit}]`, `timestamp[${unit}, UTC]`]),
];

/** SEMANTICS 2.5, written out: every pair that widens, and no other. */
const WIDENS: Record<string, string[]> = {
  int8: ['int16', 'int32', 'int64', 'float64'],
  int16: ['int32', 'int64', 'float64'],
  int32: ['int64', 'float64'],
  uint8: ['uint16', 'uint32', 'uint64', 'int16', 'int32', 'int64'],
  uint16: ['uint32', 'uint64', 'int32', 'int64'],
  uint32: ['uint64', 'int64'],
  float32: ['float64'],
  'decimal(9,2)': ['decimal(12,2)', 'decimal(12,5)', 'decimal(10,3)'],
  'decimal(10,3)': ['decimal(12,5)'],
  'timestamp[ms]': ['timestamp[us]', 'timestamp[ns]'],
  'timestamp[us]': ['timestamp[ns]'],
  'timestamp[ms, UTC]': ['timestamp[us, UTC]', 'timestamp[ns, UTC]'],
  'timestamp[us, UTC]': ['timestamp[ns, UTC]'],
};

const type = (text: string) => parseColumnType(text)!;

it.each(ALL)('lets %s widen to exactly what loses nothing', (found) => {
  const allowed = ALL.filter((declared) => widens(type(found), type(declared)));
  expect(allowed.toSorted()).toEqual([found, ...(WIDENS[found] ?? [])].toSorted());
});

describe('a file', () => {
  const contract = contractFor('/data/raw', {
    columns: { id: 'int64', amount: 'decimal(12,2)', at: 'timestamp[us, UTC]' },
  });
  const dropping = { ...contract, source: { ...contract.source, extraColumns: 'drop' as const } };
  const footer = (columns: Record<string, string>): Footer => ({
    rows: 1,
    columns: Object.entries(columns).map(([name, text]) => {
      const parsed = parseColumnType(text);
      return { name, found: parsed === null ? { unsupported: text } : { type: parsed }, unopenable: null };
    }),
  });
  const GOOD = { id: 'int32', amount: 'decimal(9,2)', at: 'timestamp[ms, UTC]' };
  const faultsOf = (columns: Record<string, string>, by = contract) =>
    checkSchema(by, footer(columns), 'date=2026-05-01/a.parquet');

  it('passes with the declared columns in any order, or types that widen', () => {
    expect(faultsOf({ at: 'timestamp[us, UTC]', amount: 'decimal(12,2)', id: 'int64' })).toEqual([]);
    expect(faultsOf(GOOD)).toEqual([]);
  });

  it('is told all its faults at once, in the order of the contract', () => {
    expect(
      faultsOf({ ID: 'int64', amount: 'string', at: 'timestamp[us]', extra: 'int8' }).map(
        ({ column, expected, found }) => [column, expected, found],
      ),
    ).toEqual([
      ['id', 'int64', 'no such column, but "ID" (names are case-sensitive)'],
      ['amount', 'decimal(12,2)', 'string'],
      ['at', 'timestamp[us, UTC]', 'timestamp[us]'],
      ['ID', 'no such column', 'int64'],
      ['extra', 'no such column', 'int8'],
    ]);
  });

  it('says in one line where, what was expected and found, and what to do', () => {
    const [missing] = faultsOf({ amount: 'decimal(9,2)', at: 'timestamp[ms, UTC]' });
    expect(describeFaults([missing!])).toBe(
      '  date=2026-05-01/a.parquet: column "id": expected int64, found no such column; rewrite the file with it, or take it out of the contract',
    );
    const [naive] = faultsOf({ ...GOOD, at: 'timestamp[us]' });
    expect(describeFaults([naive!])).toContain('a time without a zone and one in UTC are never mixed');
  });

  it('may hold other columns when the contract drops them, but never reserved ones', () => {
    expect(faultsOf({ ...GOOD, extra: 'list (nested)' }, dropping)).toEqual([]);
    expect(
      faultsOf({ ...GOOD, _violations: 'list (nested)', _source_row: 'int64' }, dropping).map(({ column }) => column),
    ).toEqual(['_violations', '_source_row']);
  });

  it('may hold the partition column', () => {
    expect(faultsOf({ ...GOOD, date: 'date' })).toEqual([]);
    expect(faultsOf({ ...GOOD, date: 'string' })).toEqual([]);
    expect(faultsOf({ ...GOOD, date: 'struct (nested)' })).toHaveLength(1);
  });

  it('is refused for a column that Polars cannot open, dropped or not', () => {
    const good = footer(GOOD);
    const bad = {
      ...good,
      columns: [...good.columns, { name: 'span', found: { unsupported: 'interval' }, unopenable: 'interval' }],
    };
    expect(checkSchema(dropping, bad, 'a.parquet')).toEqual([
      {
        file: 'a.parquet',
        column: 'span',
        expected: 'a file that Polars can open',
        found: 'interval',
        advice: expect.stringContaining('dropping it is not enough'),
      },
    ]);
  });

  it('is refused for two columns of one name', () => {
    const good = footer(GOOD);
    expect(checkSchema(contract, { ...good, columns: [...good.columns, good.columns[0]!] }, 'a.parquet')).toEqual([
      expect.objectContaining({ column: 'id', found: 'two or more' }),
    ]);
  });

  it('is one of 20 listed, and the others are counted', () => {
    const faults = Array.from({ length: 25 }, (_, index) => ({
      file: `f${index}`,
      column: 'c',
      expected: 'e',
      found: 'f',
      advice: 'a',
    }));
    const lines = describeFaults(faults).split('\n');
    expect(lines).toHaveLength(21);
    expect(lines.at(-1)).toBe('  and 5 more');
  });
});
