import { mkdir, mkdtemp, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { contractsFrom, definePipeline } from '../../src/contract';
import { SOUND } from './sources';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-registry-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function save(file: string, changes: Record<string, unknown> = {}): Promise<string> {
  const path = join(folder, file);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, JSON.stringify({ ...SOUND, pipeline: file.replace(/\W.*$/, ''), ...changes }));
  return path;
}

it('finds every .yaml, .yml and .json of a folder, not deeper and not hidden', async () => {
  await Promise.all(['b.yaml', 'a.yml', 'c.JSON', '.d.yaml', 'e.txt', 'sub/f.yaml'].map((file) => save(file)));
  const found = await contractsFrom(folder).list();
  expect(found.map(({ name, error }) => [name, error])).toEqual([
    ['a', null],
    ['b', null],
    ['c', null],
  ]);
  await expect(contractsFrom(folder).get('b')).resolves.toMatchObject({
    pipeline: 'b',
    source: { path: join(folder, 'raw') },
  });
});

it('takes files and folders together, each file once', async () => {
  const [a] = [await save('a.yaml'), await save('sub/b.yaml')];
  const registry = contractsFrom([a, folder, join(folder, 'sub', 'b.yaml')].join(delimiter));
  expect((await registry.list()).map(({ file }) => file)).toEqual([a, join(folder, 'sub', 'b.yaml')]);
});

it('reads afresh each time', async () => {
  await save('a.yaml');
  const registry = contractsFrom(folder);
  expect((await registry.get('a')).incremental.lookback).toBe(3);
  await save('a.yaml', { incremental: { lookback: 9 } });
  expect((await registry.get('a')).incremental.lookback).toBe(9);
});

describe('a file that has not changed', () => {
  /** Long after the files were written, so that their times can be trusted. */
  beforeEach(() => {
    const later = Date.now() + 60_000;
    jest.spyOn(Date, 'now').mockReturnValue(later);
  });
  afterEach(() => jest.restoreAllMocks());

  it('is not parsed again, and one beside it that has changed is', async () => {
    const b = await save('b.yaml');
    await save('a.yaml');
    const registry = contractsFrom(folder);
    const [first, other] = [await registry.get('a'), await registry.get('b')];
    await writeFile(b, JSON.stringify({ ...SOUND, pipeline: 'b', incremental: { lookback: 8 } }));
    expect(await registry.get('a')).toBe(first);
    expect(await registry.get('b')).not.toBe(other);
    expect((await registry.get('b')).incremental.lookback).toBe(8);
  });

  it('is read again when only its size and modification time are as before', async () => {
    const path = await save('a.yaml', { incremental: { lookback: 3 } });
    const registry = contractsFrom(folder);
    expect((await registry.get('a')).incremental.lookback).toBe(3);
    const { mtime } = await stat(path);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await save('a.yaml', { incremental: { lookback: 9 } });
    await utimes(path, mtime, mtime);
    expect((await registry.get('a')).incremental.lookback).toBe(9);
  });

  it('is still held against the folders it names', async () => {
    await save('a.yaml');
    const registry = contractsFrom(folder);
    const { source, publish } = await registry.get('a');
    await mkdir(join(publish.path, '..'), { recursive: true });
    await mkdir(source.path, { recursive: true });
    await symlink(source.path, publish.path);
    await expect(registry.get('a')).rejects.toMatchObject({ type: 'ContractError' });
  });

  it('is at fault until it is mended, and then is not', async () => {
    await save('a.yaml', { source: {} });
    const registry = contractsFrom(folder);
    await expect(registry.get('a')).rejects.toThrow('source.path: missing');
    await save('a.yaml');
    await expect(registry.get('a')).resolves.toMatchObject({ pipeline: 'a' });
    await rm(join(folder, 'a.yaml'));
    await expect(registry.get('a')).rejects.toThrow('known: none');
  });
});

it('says of an unknown name what is known, where it looked, and which files are at fault', async () => {
  await save('orders.yaml');
  await writeFile(join(folder, 'broken.yaml'), 'pipeline: [');
  const failure = contractsFrom(folder).get('order');
  await expect(failure).rejects.toThrow(
    'no contract of a pipeline "order" (did you mean "orders"?)\nknown: orders\nlooked in: ',
  );
  await expect(failure).rejects.toThrow(`broken.yaml:1:12: not YAML`);
  await expect(failure).rejects.toMatchObject({ type: 'ContractError' });
});

it('does not let a broken file hide the healthy ones', async () => {
  await save('good.yaml');
  await writeFile(join(folder, 'broken.yaml'), 'pipeline: [');
  await save('bad.yaml', { source: {} });
  await expect(contractsFrom(folder).get('good')).resolves.toMatchObject({ pipeline: 'good' });
  await expect(contractsFrom(folder).get('bad')).rejects.toThrow('source.path: missing');
});

it('refuses a name that stands in two files, be one of them at fault', async () => {
  await save('a.yaml');
  await save('z.yaml', { pipeline: 'a', source: {} });
  await expect(contractsFrom(folder).get('a')).rejects.toThrow(
    `pipeline "a" stands in two contracts, ${join(folder, 'a.yaml')} and ${join(folder, 'z.yaml')}; rename or remove one`,
  );
});

it('takes contracts made in code', async () => {
  const contract = definePipeline(SOUND);
  await expect(contractsFrom([contract]).get('transactions')).resolves.toBe(contract);
  await expect(contractsFrom([contract]).get('x')).rejects.toThrow('known: transactions\nlooked in: 1 given in code');
  await expect(contractsFrom([contract, contract]).get('transactions')).rejects.toThrow('stands in two contracts');
});

it('says how to name a place when there is none, or it is not there', async () => {
  expect(() => contractsFrom('')).toThrow('set TIDEGATE_PIPELINES to the folder of your contracts, or to their files');
  await expect(contractsFrom(join(folder, 'no')).get('a')).rejects.toThrow('no: there is no such file or folder');
  await expect(contractsFrom(folder).get('a')).rejects.toThrow('known: none');
});
