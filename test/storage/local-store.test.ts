import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TerminalError } from '../../src/errors';
import { type ObjectInfo, type ObjectStore, StorageError, localStore, resolveInside } from '../../src/storage';
import { storageError } from '../../src/storage/storage-error';

let root: string;
let outside: string;
let store: ObjectStore;

beforeEach(() => {
  const base = mkdtempSync(join(tmpdir(), 'tidegate-store-'));
  root = join(base, 'root');
  outside = join(base, 'outside');
  mkdirSync(root);
  mkdirSync(outside);
  store = localStore(root);
});
afterEach(() => rmSync(join(root, '..'), { recursive: true, force: true }));

async function listed(prefix = '', of: ObjectStore = store): Promise<ObjectInfo[]> {
  const found: ObjectInfo[] = [];
  for await (const info of of.list(prefix)) found.push(info);
  return found.toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

function put(key: string, text = 'x'): void {
  mkdirSync(join(root, key, '..'), { recursive: true });
  writeFileSync(join(root, key), text);
}

describe('writing', () => {
  it('writes, replaces, reads back whole and in ranges, and deletes', async () => {
    await store.write('a/b/c.json', 'first');
    await store.write('a/b/c.json', Buffer.from('second'));
    expect((await store.read('a/b/c.json')).toString()).toBe('second');
    expect((await store.readRange('a/b/c.json', 3, 5)).toString()).toBe('on');
    expect((await store.readRange('a/b/c.json', 4, 100)).toString()).toBe('nd');
    await store.delete('a/b/c.json');
    await store.delete('a/b/c.json');
    expect(await store.stat('a/b/c.json')).toBeNull();
  });

  it('lets exactly one of many concurrent putIfAbsent win, with its whole content', async () => {
    const wins = await Promise.all(
      Array.from({ length: 50 }, (_, writer) => store.putIfAbsent('claims/7', `${writer}:`.repeat(1_000))),
    );
    expect(wins.filter(Boolean)).toHaveLength(1);
    expect(readFileSync(join(root, 'claims/7'), 'utf8')).toBe(`${wins.indexOf(true)}:`.repeat(1_000));
  });

  it('leaves no temporary file behind, whether it succeeds, loses or fails', async () => {
    await store.write('d/one', '1');
    await store.putIfAbsent('d/one', '2');
    mkdirSync(join(root, 'd/folder/inner'), { recursive: true });
    await expect(store.write('d/folder', 'no')).rejects.toThrow(/folder/);
    expect(readdirSync(join(root, 'd')).toSorted()).toEqual(['folder', 'one']);
  });
});

describe('listing', () => {
  it('gives every file with its size and nanosecond time, at any depth and under any name', async () => {
    const names = [
      'date=2026-05-01/a [1]*.parquet',
      'date=2026-05-01/50%.parquet',
      'é/日本/😀.parquet',
      'x/y/z',
      '.hidden',
    ];
    for (const name of names) put(name, 'abc');
    const found = await listed();
    expect(found.map(({ key }) => key)).toEqual(names.toSorted());
    for (const info of found) {
      expect(info.size).toBe(3);
      expect(info.mtimeNs).toMatch(/^\d{19}$/);
      expect(await store.stat(info.key)).toEqual(info);
    }
  });

  it('lists below a prefix, and nothing below one that is missing', async () => {
    put('a/one');
    put('ab/two');
    expect((await listed('a')).map(({ key }) => key)).toEqual(['a/one']);
    expect(await listed('nope')).toEqual([]);
    expect(await listed('', localStore(join(root, 'nope')))).toEqual([]);
  });

  it('loses nothing among thousands of files, however slowly they are taken', async () => {
    for (let i = 0; i < 4_000; i += 1) put(`f${i % 400}/${i}`);
    const seen = new Set<string>();
    for await (const { key } of store.list('')) {
      if (seen.size % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      seen.add(key);
    }
    expect(seen.size).toBe(4_000);
  });

  it('names links without following them, so that loops and outside folders are never entered', async () => {
    writeFileSync(join(outside, 'secret.parquet'), 'secret');
    put('real/data.parquet');
    symlinkSync(outside, join(root, 'away'));
    symlinkSync(root, join(root, 'real/loop'));
    symlinkSync(join(outside, 'secret.parquet'), join(root, 'real/link.parquet'));
    expect((await listed()).map(({ key, special }) => [key, special])).toEqual([
      ['away', 'symbolic link'],
      ['real/data.parquet', undefined],
      ['real/link.parquet', 'symbolic link'],
      ['real/loop', 'symbolic link'],
    ]);
  });

  it('reports a name that is not UTF-8 instead of dropping it', async () => {
    writeFileSync(Buffer.concat([Buffer.from(`${root}/bad-`), Buffer.from([0xff]), Buffer.from('.parquet')]), 'x');
    expect(await listed()).toEqual([{ key: 'bad-\uFFFD.parquet', size: 0, special: 'undecodable name' }]);
  });

  it('works when the root itself is a link', async () => {
    put('one');
    symlinkSync(root, join(outside, 'root'));
    const linked = localStore(join(outside, 'root'));
    expect((await listed('', linked)).map(({ key }) => key)).toEqual(['one']);
    expect((await linked.read('one')).toString()).toBe('x');
    expect((await linked.stat(''))?.special).toBe('folder');
  });
});

describe('keeping to the root', () => {
  const escapes = ['../outside/x', 'a/../../x', '/etc/passwd', 'a/../b', './a', 'a//b', 'a/', '..', 'a\0b'];

  it.each(escapes)('refuses the key %j in every operation, touching nothing', async (key) => {
    const operations = [
      () => store.read(key),
      () => store.readRange(key, 0, 1),
      () => store.stat(key),
      () => store.write(key, 'x'),
      () => store.putIfAbsent(key, 'x'),
      () => store.delete(key),
      () => listed(key),
      async () => store.urlOf(key),
    ];
    for (const operation of operations) {
      await expect(operation()).rejects.toMatchObject({ name: 'TerminalError', type: 'SourceError' });
    }
    expect(readdirSync(outside)).toEqual([]);
  });

  it('takes names that only look dangerous for what they are', () => {
    expect(resolveInside('/root/dir', '..a/b..')).toBe('/root/dir/..a/b..');
    expect(resolveInside('/root/dir', '%2e%2e/x')).toBe('/root/dir/%2e%2e/x');
    expect(resolveInside('/', 'a')).toBe('/a');
    expect(() => resolveInside('/root/dir', '../dir2')).toThrow(TerminalError);
  });

  it('neither reads, writes nor deletes through a link that leaves the root', async () => {
    writeFileSync(join(outside, 'secret'), 'secret');
    symlinkSync(outside, join(root, 'away'));
    symlinkSync(join(root, '..'), join(root, 'up'));
    symlinkSync(join(outside, 'secret'), join(root, 'link'));
    for (const operation of [
      () => store.read('away/secret'),
      () => store.read('link'),
      () => store.read('up/outside/secret'),
      () => store.readRange('away/secret', 0, 3),
      () => store.write('away/new', 'x'),
      () => store.putIfAbsent('away/deep/new', 'x'),
      () => store.delete('away/secret'),
    ]) {
      await expect(operation()).rejects.toThrow(/symbolic link that leaves the folder/);
    }
    expect(readdirSync(outside)).toEqual(['secret']);
  });

  it('reads through a link that stays inside', async () => {
    put('snapshots/1/report.json', '{}');
    symlinkSync('snapshots/1', join(root, 'current'));
    expect((await store.read('current/report.json')).toString()).toBe('{}');
  });
});

describe('errors', () => {
  it('names a missing object, with a code that callers can tell', async () => {
    await expect(store.read('nope.json')).rejects.toMatchObject({
      name: 'StorageError',
      code: 'ENOENT',
      message: `cannot read ${join(root, 'nope.json')}: it is not there (ENOENT).`,
    });
    await expect(store.read('nope.json')).rejects.toBeInstanceOf(StorageError);
  });

  it.each([
    ['EACCES', 'TerminalError', /cannot write \/data\/x: permission denied. Give the user/],
    ['EROFS', 'TerminalError', /read-only. Mount it writable/],
    ['ENOSPC', 'StorageError', /no space left on the device. Free some space/],
    ['EMFILE', 'StorageError', /ulimit -n/],
    ['EWHATEVER', 'StorageError', /cannot write \/data\/x: boom \(EWHATEVER\)/],
  ])('tells %s apart: lasting ones are terminal, passing ones are tried again', (code, name, message) => {
    const error = storageError(Object.assign(new Error('boom'), { code }), 'write', '/data/x', 'TargetError');
    expect(error.name).toBe(name);
    expect(error.message).toMatch(message);
  });

  it('says what stands in the way when a folder is a file, as a lasting error of the type asked for', async () => {
    put('file');
    const target = localStore(root, { errorType: 'TargetError' });
    await expect(target.write('file/below', 'x')).rejects.toMatchObject({
      name: 'TerminalError',
      type: 'TargetError',
      message: expect.stringMatching(/cannot write .*file\/below: a file stands where a folder is needed/),
    });
    expect(await store.stat('file/below')).toBeNull();
  });
});

it('names a path on one line, whatever it holds', async () => {
  const failure: unknown = await store.read('two\nlines\u001b[2J.json').catch((error: unknown) => error);
  expect((failure as Error).message).toContain('two\\u{a}lines\\u{1b}[2J.json: it is not there');
  expect((failure as Error).message).not.toContain('\n');
});
