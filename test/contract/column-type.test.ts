import { formatColumnType, parseColumnType } from '../../src/contract';
import { readColumnType } from '../../src/contract/column-type';

it.each([
  'boolean',
  'string',
  'binary',
  'date',
  'float32',
  'float64',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'decimal(1,0)',
  'decimal(38,38)',
  'timestamp[ms]',
  'timestamp[us]',
  'timestamp[ns]',
  'timestamp[us, UTC]',
])('%s is parsed and written again', (text) => {
  expect(formatColumnType(parseColumnType(text)!)).toBe(text);
});

it('forgives spaces', () => {
  expect(parseColumnType(' decimal( 12 , 2 ) ')).toEqual({ kind: 'decimal', precision: 12, scale: 2 });
  expect(parseColumnType('timestamp[us,UTC]')).toEqual({ kind: 'timestamp', unit: 'us', zoned: true });
});

it.each([
  ['decimal(39,2)', 'the precision of a decimal is 1 to 38 digits'],
  ['decimal(0,0)', 'the precision of a decimal is 1 to 38 digits'],
  ['decimal(2,3)', 'the scale of a decimal is at most its precision'],
  ['timestamp[s]', "a timestamp's unit is ms, us or ns, not s"],
  ['timestamp[us, Europe/Berlin]', 'no zone but UTC: Parquet stores an instant in UTC whatever zone wrote it'],
  ['timestamp[us, utc]', 'no zone but UTC: Parquet stores an instant in UTC whatever zone wrote it'],
  ['list<int64>', 'nested types are not supported: gates and keys work on plain values'],
  ['struct{a: int8}', 'nested types are not supported: gates and keys work on plain values'],
  ['constructor', 'not a column type'],
  ['', 'not a column type'],
])('%s is refused with the reason', (text, problem) => {
  expect(parseColumnType(text)).toBeNull();
  expect(readColumnType(text)).toMatchObject({ ok: false, problem });
});
