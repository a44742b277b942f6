import { resolve } from 'node:path';
import { ContractError, definePipeline, isPipelineName, type PipelineSource } from '../../src/contract';
import { SOUND } from './sources';

/** The lines of the error for the sound contract with these keys changed. */
function faultsOf(changes: Record<string, unknown>): string[] {
  try {
    definePipeline({ ...SOUND, ...changes });
  } catch (error) {
    if (error instanceof ContractError) return error.message.split('\n').slice(1);
    throw error;
  }
  return [];
}

it('resolves paths against baseDir, or the working directory', () => {
  expect(definePipeline(SOUND, { baseDir: '/data' }).source.path).toBe('/data/raw');
  expect(definePipeline(SOUND).publish.path).toBe(resolve('curated'));
});

it('is plain JSON', () => {
  const contract = definePipeline({ ...SOUND, schedule: { every: '15m', cron: undefined }, notify: undefined });
  expect(JSON.parse(JSON.stringify(contract))).toEqual(contract);
});

it('names the pipeline in its error', () => {
  expect(() => definePipeline({ ...SOUND, columns: {} })).toThrow(/^the contract of "transactions" has /);
  expect(() => definePipeline(null as unknown as PipelineSource)).toThrow(/^the contract has a fault:\nempty/);
});

describe('columns', () => {
  it.each([
    [
      '_violations',
      'columns._violations: names that begin with _violations are reserved (quarantined rows have columns of this name)',
    ],
    [
      '_source_file',
      'columns._source_file: names that begin with _source_ are reserved (quarantined rows have columns of this name)',
    ],
    [
      'date',
      'columns.date: the partition column is not declared (its values are the dates of the folders, and gates may name it; remove this line)',
    ],
    [' ', 'columns[" "]: not a column name'],
    ['a\nb', String.raw`columns["a\nb"]: not a column name`],
    ['*', 'columns["*"]: not a column name that Polars can select (it takes this for a pattern)'],
    ['^a.*$', 'columns["^a.*$"]: not a column name that Polars can select (it takes this for a pattern)'],
  ])('cannot be called %j', (name, message) => {
    expect(faultsOf({ columns: { ...SOUND.columns, [name]: 'int8' } })).toEqual([message]);
  });

  it('cannot be called __proto__, which an object literal would lose', () => {
    const columns: unknown = JSON.parse('{"id":"string","at":"date","__proto__":"int8"}');
    expect(faultsOf({ columns })).toEqual(['columns.__proto__: not a column name that JavaScript can hold']);
  });

  it('must be there', () => {
    expect(faultsOf({ columns: {}, deduplicate: undefined })).toContain(
      'columns: no columns; allowed: one column or more',
    );
  });
});

describe('deduplicate', () => {
  it.each([
    [{ primaryKey: [] }, 'deduplicate.primaryKey: not allowed, found []; allowed: a column name, or a list of them'],
    [{ primaryKey: ['id', 'id'] }, 'deduplicate.primaryKey[1]: the column stands twice, found "id"'],
    [{ orderBy: [{ column: 'at' }, 'at'] }, 'deduplicate.orderBy[1]: the column stands twice, found "at"'],
    [{ orderBy: 'date' }, expect.stringContaining('deduplicate.orderBy: the partition column cannot stand here')],
    [
      { orderBy: [{ column: 'at', direction: 'down' }] },
      'deduplicate.orderBy[0].direction: not allowed, found "down"; allowed: desc, asc',
    ],
    [{ scope: 'run' }, 'deduplicate.scope: not allowed, found "run"; allowed: table, window, partition'],
    [
      { primary_key: 'id' },
      'deduplicate.primary_key: unknown key; allowed: primaryKey, orderBy, scope (did you mean "primaryKey"?)',
    ],
  ])('%j is refused', (keys, message) => {
    expect(faultsOf({ deduplicate: { ...SOUND.deduplicate, ...keys } })).toEqual([message]);
  });
});

describe('paths', () => {
  it.each([
    ['/a', '/a', 'is'],
    ['/a', '/a/b', 'lies inside'],
    ['/a/b', '/a', 'holds'],
    ['/a/b', '/a/b/../b/c', 'lies inside'],
    ['/', '/a', 'lies inside'],
  ])('source %s and target %s overlap', (source, publish, relation) => {
    const [message] = faultsOf({ source: { path: source }, publish: { path: publish } });
    expect(message).toContain(`publish.path: the published table ${relation} the source folder`);
  });

  it.each([
    ['/a', '/ab'],
    ['/a/b', '/a/..b'],
    ['raw', 'curated'],
  ])('source %s and target %s do not', (source, publish) => {
    expect(faultsOf({ source: { path: source }, publish: { path: publish } })).toEqual([]);
  });

  it.each([
    ['gs://bucket/raw', 'not a store that is supported'],
    ['s3://Bucket/raw', 'not a location in S3'],
    ['s3://bucket//raw', 'not a location in S3'],
    ['s3://bucket/../raw', 'not a location in S3'],
    ['s3:///raw', 'not a location in S3'],
    ['S3://bucket/raw', 'not a location in S3'],
    ['~/raw', 'not a plain path'],
    ['${HOME}/raw', 'not a plain path'],
    ['', 'not allowed'],
  ])('%j is refused', (path, problem) => {
    const [message] = faultsOf({ source: { path } });
    expect(message).toContain(`source.path: ${problem}, found ${JSON.stringify(path)}`);
  });
});

describe('places in an object store', () => {
  it('are taken in one form, without a slash at the end, and whatever characters a key may have', () => {
    expect(faultsOf({ source: { path: 's3://bucket/raw zone/100%+ü/' } })).toEqual([]);
    const { source } = definePipeline({ ...SOUND, source: { path: 's3://bucket/raw/' } });
    expect(source.path).toBe('s3://bucket/raw');
  });

  it('hold no credentials, and errors do not tell them', () => {
    const [message] = faultsOf({ source: { path: 's3://key:secret@bucket/raw' } });
    expect(message).toContain('found "s3://***@bucket/raw"');
    expect(message).toContain('credentials do not stand in a path');
  });

  it('are no place for a table of plain files, which the error says with what to do', () => {
    const [message, ...more] = faultsOf({ publish: { path: 's3://bucket/table' } });
    expect(more).toEqual([]);
    expect(message).toMatch(/publish\.path: the directory format needs a local disk.*set publish\.format to delta/);
  });
});

describe('schedule', () => {
  it.each([
    '15 2 * * *',
    '*/5 * * * *',
    '0 9-17/2 * jan-mar mon-fri',
    '0 0 1,15 * *',
    '0 0 * * 7',
    '0 0 * * * 2027',
    '30 0 0 * * * 2027',
    '@daily',
    '@hourly',
  ])('takes cron %j', (cron) => {
    expect(faultsOf({ schedule: { cron } })).toEqual([]);
  });

  it.each([
    '',
    '* * * *',
    '60 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '* * * 13 *',
    '* * * * 8',
    'CRON_TZ=UTC * * * * *',
    '@reboot',
    '*/0 * * * *',
    'a * * * *',
  ])('refuses cron %j', (cron) => {
    expect(faultsOf({ schedule: { cron } })).toHaveLength(1);
  });

  it.each([
    [{}, 'schedule: no time; allowed: exactly one of cron and every'],
    [{ cron: '@daily', every: '1h' }, 'schedule.every: cron and every both stand here; allowed: one of the two'],
    [{ every: '0s' }, 'schedule.every: not allowed, found "0s"; allowed: a number and s, m, h, d or w, such as 15m'],
    [{ every: '15' }, 'schedule.every: not allowed, found "15"; allowed: a number and s, m, h, d or w, such as 15m'],
    [
      { every: '1h', catchupWindow: '5s' },
      'schedule.catchupWindow: not allowed, found "5s"; allowed: a number and s, m, h, d or w, such as 1d, of 10 seconds or more',
    ],
    [
      { every: '1h', timezone: 'Mars/Olympus' },
      'schedule.timezone: not allowed, found "Mars/Olympus"; allowed: a time zone of the IANA database, such as UTC or Europe/Berlin',
    ],
    [
      { every: '1h', timezone: '+02:00' },
      'schedule.timezone: not allowed, found "+02:00"; allowed: a time zone of the IANA database, such as UTC or Europe/Berlin',
    ],
    [
      { every: '1h', overlap: 'Skip' },
      'schedule.overlap: not allowed, found "Skip"; allowed: skip, bufferOne, bufferAll, cancelOther, terminateOther, allowAll (did you mean "skip"?)',
    ],
  ])('%j is refused', (schedule, message) => {
    expect(faultsOf({ schedule })).toEqual([message]);
  });
});

it('tells the name of a pipeline from a path', () => {
  expect(['transactions', '0-a_b'].map(isPipelineName)).toEqual([true, true]);
  expect(['', 'A', 'a.yaml', './a', '-a', 'a'.repeat(64)].filter(isPipelineName)).toEqual([]);
});
