import { mkdtemp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ContractError, loadContract } from '../../src/contract';
import { EXAMPLE } from '../../src/contract/reference';
import { TerminalError } from '../../src/errors';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-contract-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function save(text: string | Uint8Array, name = 'p.yaml'): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

/** The lines of the error that loading `text` gives, without the folder. */
async function faultsOf(text: string | Uint8Array, name = 'p.yaml'): Promise<string[]> {
  const error: unknown = await loadContract(await save(text, name)).then(
    () => new Error('the contract was accepted'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ContractError)) throw error;
  expect(error).toBeInstanceOf(TerminalError);
  expect(error.type).toBe('ContractError');
  const lines = error.message.replaceAll(`${folder}/`, '').split('\n');
  return lines.length === 1 ? lines : lines.slice(1);
}

const HEAD = `pipeline: t
source: { path: raw }
columns: { id: string, at: "timestamp[us, UTC]", amount: "decimal(12,2)", big: int64 }
deduplicate: { primaryKey: id, orderBy: at, scope: partition }
publish: { path: out }
`;

describe('a sound contract', () => {
  it('is normalised: defaults filled in, paths absolute from the file, gates named', async () => {
    const contract = await loadContract(await save(EXAMPLE));
    expect(contract).toEqual({
      pipeline: 'transactions',
      source: {
        path: join(folder, 'raw/transactions'),
        partitionColumn: 'date',
        extraColumns: 'fail',
        unrecognized: 'warn',
      },
      columns: [
        { name: 'transaction_id', type: { kind: 'string' } },
        { name: 'updated_at', type: { kind: 'timestamp', unit: 'us', zoned: true } },
        { name: 'user_id', type: { kind: 'string' } },
        { name: 'amount', type: { kind: 'decimal', precision: 12, scale: 2 } },
        { name: 'currency', type: { kind: 'string' } },
        { name: 'transaction_receipt', type: { kind: 'string' } },
      ],
      incremental: {
        start: '2026-01-01',
        lookback: 3,
        reprocess: 'changed',
        late: 'process',
        gone: 'keep',
        future: 'leave',
      },
      deduplicate: {
        primaryKey: ['transaction_id'],
        orderBy: [{ column: 'updated_at', direction: 'desc' }],
        scope: 'table',
      },
      gates: [
        { kind: 'notNull', name: 'notNull_user_id', column: 'user_id' },
        { kind: 'inRange', name: 'inRange_amount', column: 'amount', greaterThan: '0' },
        {
          kind: 'unique',
          name: 'unique_transaction_receipt',
          columns: ['transaction_receipt'],
          scope: 'table',
        },
        { kind: 'oneOf', name: 'oneOf_currency', column: 'currency', values: ['USD', 'EUR'] },
        { kind: 'matches', name: 'receipt_form', column: 'transaction_receipt', pattern: 'R[0-9]{8}' },
      ],
      publish: {
        path: join(folder, 'curated/transactions'),
        format: 'directory',
        keep: { versions: 30, days: 7 },
      },
      engine: { memory: 1_073_741_824 },
      schedule: {
        cron: '15 2 * * *',
        timezone: 'UTC',
        overlap: 'skip',
        catchupWindow: '1d',
        jitter: null,
        pauseOnFailure: false,
      },
      notify: { webhook: { urlFrom: 'TRANSACTIONS_WEBHOOK' } },
    });
  });

  it('may be JSON, begin with a byte order mark, use anchors, and have Windows line ends', async () => {
    const yaml = await loadContract(await save(HEAD));
    const json = {
      pipeline: 't',
      source: { path: 'raw' },
      columns: { id: 'string', at: 'timestamp[us, UTC]', amount: 'decimal(12,2)', big: 'int64' },
      deduplicate: { primaryKey: 'id', orderBy: 'at', scope: 'partition' },
      publish: { path: 'out' },
    };
    expect(await loadContract(await save(`\uFEFF${JSON.stringify(json, null, '\t')}`, 'p.json'))).toEqual(yaml);
    expect(await loadContract(await save(`\uFEFF${HEAD.replaceAll('\n', '\r\n')}`))).toEqual(yaml);
    const anchored = HEAD.replace('primaryKey: id', 'primaryKey: &key id') + 'gates: [{ kind: notNull, column: *key }]';
    expect((await loadContract(await save(anchored))).gates).toMatchObject([{ column: 'id' }]);
  });

  it('keeps columns in the order of the file, even those named like numbers', async () => {
    const contract = await loadContract(await save(HEAD.replace('{ id: string', '{ id: string, "2024": int8')));
    expect(contract.columns.map(({ name }) => name)).toEqual(['id', '2024', 'at', 'amount', 'big']);
  });
});

describe('a contract with faults', () => {
  it('has all of them reported at once, in the order of the file, with line, column, key, value and what is allowed', async () => {
    const text = `pipeline: Transactions
source: { path: raw, partition_column: date, extraColumns: ignore }
columns:
  id: string
  at: "timestamp[us, Europe/Berlin]"
  user: str
  _source_x: list<int64>
incremental: { start: 2026-02-30, lookback: -1 }
deduplicate: { primaryKey: [id, date], orderBy: [{ column: ad }] }
gates:
  - { kind: notNul, column: user }
  - { kind: notNull, column: usr }
publish: { path: raw/out, format: iceberg }
`;
    expect(await faultsOf(text)).toEqual([
      'p.yaml:1:11: pipeline: not allowed, found "Transactions"; allowed: 1 to 63 lower-case letters, digits, dashes and underscores, beginning with a letter or digit',
      'p.yaml:2:22: source.partition_column: unknown key; allowed: path, partitionColumn, extraColumns, unrecognized (did you mean "partitionColumn"?)',
      'p.yaml:2:60: source.extraColumns: not allowed, found "ignore"; allowed: fail, drop',
      'p.yaml:5:7: columns.at: no zone but UTC: Parquet stores an instant in UTC whatever zone wrote it, found "timestamp[us, Europe/Berlin]" (write timestamp[us, UTC], or timestamp[us] for local times without a zone)',
      'p.yaml:6:9: columns.user: not a column type, found "str"; allowed: boolean, string, binary, date, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64, decimal(precision,scale), timestamp[ms|us|ns], timestamp[ms|us|ns, UTC] (did you mean string?)',
      'p.yaml:7:3: columns._source_x: names that begin with _source_ are reserved (quarantined rows have columns of this name)',
      'p.yaml:7:14: columns._source_x: nested types are not supported: gates and keys work on plain values, found "list<int64>"',
      'p.yaml:8:23: incremental.start: not allowed, found "2026-02-30"; allowed: a date, such as 2026-01-01',
      'p.yaml:8:45: incremental.lookback: not allowed, found -1; allowed: a whole number of days, 0 or more',
      'p.yaml:9:33: deduplicate.primaryKey[1]: the partition column cannot stand here, found "date"; allowed: id, at, user, _source_x (it names folders and is no part of a record)',
      'p.yaml:9:60: deduplicate.orderBy[0].column: no such column, found "ad"; allowed: id, at, user, _source_x (did you mean "id"?)',
      'p.yaml:11:13: gates[0].kind: not allowed, found "notNul"; allowed: notNull, inRange, unique, oneOf, matches (did you mean "notNull"?)',
      'p.yaml:12:30: gates[1].column: no such column, found "usr"; allowed: id, at, user, _source_x, date (did you mean "user"?)',
      `p.yaml:13:18: publish.path: the published table lies inside the source folder, found ${JSON.stringify('raw/out')}; allowed: a folder that does not overlap "raw"`,
      'p.yaml:13:35: publish.format: not allowed, found "iceberg"; allowed: directory, delta',
    ]);
  });

  it('is told as data too, for --json', async () => {
    const path = await save(HEAD.replace('path: out', 'path: out, forma: directory'));
    await expect(loadContract(path)).rejects.toMatchObject({
      faults: [
        {
          file: path,
          line: 5,
          column: 23,
          key: 'publish.forma',
          problem: 'unknown key',
          allowed: 'path, format, keep',
          hint: 'did you mean "format"?',
        },
      ],
    });
  });

  it.each([
    ['a key that stands twice', `${HEAD}pipeline: u\n`, 'p.yaml:6:1: pipeline: this key stands twice'],
    [
      'a merge key',
      `${HEAD}<<: { gates: [] }\n`,
      'p.yaml:6:1: ["<<"]: unknown key; allowed: $schema, pipeline, source, columns, incremental, deduplicate, gates, publish, engine, schedule, notify (merge keys are not supported: write the keys out)',
    ],
    [
      'a tag',
      `${HEAD}gates: !!set {}\n`,
      'p.yaml:6:14: gates: a YAML tag, found "tag:yaml.org,2002:set"; allowed: plain values',
    ],
    [
      'an alias without anchor',
      `${HEAD}gates: *nope\n`,
      'p.yaml:6:8: gates: an alias without an anchor before it, found "*nope"',
    ],
    ['an empty value', `${HEAD}gates:\n`, 'p.yaml:6:7: gates: empty; allowed: a list of gates'],
    ['a second document', `${HEAD}---\na: b\n`, 'p.yaml:6:1: a second document; allowed: one contract a file'],
    [
      'a key that is a number',
      HEAD.replace('{ id:', '{ 1: int8, id:'),
      'p.yaml:3:12: columns: a key that is not text, found 1 (put it in quotes)',
    ],
    ['an old YAML', `%YAML 1.1\n---\n${HEAD}`, 'p.yaml:1:1: a %YAML directive; allowed: YAML 1.2, which needs none'],
    [
      'a number with too many digits',
      `${HEAD}gates: [{ kind: inRange, column: big, atMost: 9007199254740993 }]\n`,
      'p.yaml:6:47: gates[0].atMost: more digits than a number can hold, found 9007199254740993 (write fewer, or put it in quotes if the column is a decimal or 64 bits wide)',
    ],
    ['a list', '- a\n', 'p.yaml:1:1: not allowed, found ["a"]; allowed: a mapping of keys'],
    ['plain text', 'hello\n', 'p.yaml:1:1: not allowed, found "hello"; allowed: a mapping of keys'],
    ['an empty file', ' \n', 'cannot read the contract p.yaml: it is empty'],
    [
      'bytes that are no text',
      new Uint8Array([0x70, 0xff, 0xfe]),
      'cannot read the contract p.yaml: it is not UTF-8 text',
    ],
    [
      'a huge file',
      `#${'x'.repeat(1_048_576)}`,
      'cannot read the contract p.yaml: it has 1048577 bytes, and a contract has at most 1048576',
    ],
  ])('names the fault of %s', async (_, text, message) => {
    expect(await faultsOf(text)).toEqual([message]);
  });

  it('means scope table when it says none, with what that refuses', async () => {
    const silent = HEAD.replace(', scope: partition', '');
    const contract = await loadContract(await save(`${silent}gates: [{ kind: unique, columns: [amount] }]\n`));
    expect(contract.deduplicate.scope).toBe('table');
    expect(contract.gates).toMatchObject([{ scope: 'table' }]);
    expect(await faultsOf(`${silent}incremental: { late: hold }\n`)).toEqual([
      expect.stringContaining('incremental.late: not possible in scope table'),
    ]);
  });

  it('has policies that scope table cannot keep refused, each with what to do', async () => {
    const table = HEAD.replace('scope: partition', 'scope: table');
    expect(await faultsOf(`${table}incremental: { late: hold, gone: hold }\n`)).toEqual([
      'p.yaml:6:22: incremental.late: not possible in scope table, found "hold"; allowed: process, since deduplicate.scope is table (rows of a late partition decide about the keys of others; scope partition can leave it out)',
      'p.yaml:6:34: incremental.gone: not possible in scope table, found "hold"; allowed: keep, remove, since deduplicate.scope is table (keep leaves it published, and tidegate run --remove-gone removes it)',
    ]);
    expect(await faultsOf(`${table}incremental: { late: ignore }\n`)).toHaveLength(1);
    const sound = await loadContract(await save(`${table}incremental: { reprocess: always, gone: remove }\n`));
    expect(sound.incremental).toMatchObject({ reprocess: 'always', late: 'process', gone: 'remove' });
    expect(sound.deduplicate.scope).toBe('table');
  });

  it.each([
    ['partition', 'table', 'partition'],
    ['partition', 'window', 'partition'],
    ['window', 'table', 'window, partition'],
    ['table', 'window', 'table, partition'],
  ])('lets no gate of scope %s look at the %s', async (scope, gate, allowed) => {
    const text = HEAD.replace('scope: partition', `scope: ${scope}`);
    expect(await faultsOf(`${text}gates: [{ kind: unique, columns: [id], scope: ${gate} }]\n`)).toEqual([
      expect.stringContaining(`found "${gate}"; allowed: ${allowed}, since deduplicate.scope is ${scope}`),
    ]);
  });

  it.each([
    ['512MiB', 536_870_912],
    ['1.5 GiB', 1_610_612_736],
    [268_435_456, 268_435_456],
    ['"268435456"', 268_435_456],
  ])('reads %s of memory as %d bytes', async (written, bytes) => {
    const contract = await loadContract(await save(`${HEAD}engine: { memory: ${written} }\n`));
    expect(contract.engine).toEqual({ memory: bytes });
  });

  it.each(['1GB', '255MiB', '1073741824.5', '-1GiB', 'a lot', '0x40000000', '9007199254740993', 'true', '[]'])(
    'takes no memory of %s',
    async (written) => {
      expect(await faultsOf(`${HEAD}engine: { memory: "${written}" }\n`)).toEqual([
        `p.yaml:6:19: engine.memory: not allowed, found "${written}"; allowed: at least 256MiB: a number of bytes, or text such as 512MiB or 1GiB`,
      ]);
    },
  );

  it('says where YAML is broken and nothing more', async () => {
    expect(await faultsOf('pipeline: [a\nsource: b\n')).toEqual([
      expect.stringMatching(/^p\.yaml:2:1: not YAML: Flow sequence in block collection/),
    ]);
  });

  it.each([
    ['{\n  "pipeline": t\n}', 'p.json:2:15: not JSON, found "t"'],
    ['{\n  "pipeline": "t",\n}', 'p.json:2:18: not JSON, found ","'],
    ['{\n  // note\n}', 'p.json:2:3: not JSON, found "// note"'],
    ['{ "a": [1 }', 'p.json:1:12: not JSON, found ""'],
  ])('refuses in a .json file what is only YAML, with the place: %j', async (text, message) => {
    expect(await faultsOf(text, 'p.json')).toEqual([message]);
  });

  it('does not expand aliases without end', async () => {
    const lines = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
    for (let i = 0; i < 9; i++) {
      const [name, last] = [String.fromCharCode(98 + i), String.fromCharCode(97 + i)];
      lines.push(`${name}: &${name} [${Array(10).fill(`*${last}`).join(', ')}]`);
    }
    expect((await faultsOf(lines.join('\n')))[0]).toMatch(/too large or too deep for a contract/);
  });

  it('never shows a URL that was written in place of a variable', async () => {
    const faults = await faultsOf(`${HEAD}notify: { webhook: { urlFrom: "https://example.org/secret" } }\n`);
    expect(faults).toEqual([
      'p.yaml:6:31: notify.webhook.urlFrom: not the name of a variable; allowed: the name of an environment variable: letters, digits and underscores (a URL is a secret: put it in the environment and its name here)',
    ]);
  });

  it('says when there is no such file, or when it is a folder', async () => {
    await expect(loadContract(join(folder, 'no.yaml'))).rejects.toThrow('no.yaml: there is no such file');
    await expect(loadContract(folder)).rejects.toThrow('it is not a file');
  });

  it('finds an overlap of source and target behind a symbolic link', async () => {
    await mkdir(join(folder, 'raw'));
    await symlink(join(folder, 'raw'), join(folder, 'link'));
    const faults = await faultsOf(HEAD.replace('path: out', 'path: link/table'));
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(/^p\.yaml:5:18: publish\.path: the published table lies inside the source folder/);
  });
});
