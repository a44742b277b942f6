import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../src/storage';

describe('a store whose operations are failpoints', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-failing-'));
  const control = join(folder, 'control');
  const arm = (setting: string): void => writeFileSync(control, setting);
  beforeEach(() => (process.env['TIDEGATE_FAILPOINTS'] = `@${control}`));
  afterEach(() => delete process.env['TIDEGATE_FAILPOINTS']);

  it('throws before an operation, which is then not done, as a store that may work again does', async () => {
    arm('store#2.before=throw');
    const store = openStore(join(folder, 'before'));
    expect(await store.stat('a')).toBeNull();
    await expect(store.putIfAbsent('a', 'x')).rejects.toMatchObject({ name: 'StorageError' });
    expect(await store.stat('a')).toBeNull();
  });

  it('throws after an operation: it was done, and its reply is lost', async () => {
    arm('store.putIfAbsent#1.after=throw');
    const store = openStore(join(folder, 'after'));
    await expect(store.putIfAbsent('a', 'x')).rejects.toThrow('failpoint store.putIfAbsent#1.after');
    expect((await store.read('a')).toString()).toBe('x');
    expect(await store.putIfAbsent('a', 'y')).toBe(false);
  });

  it('throws after an operation that failed: its reply is lost too', async () => {
    arm('store.read#2.after=throw');
    const store = openStore(join(folder, 'failed'));
    await expect(store.read('a')).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(store.read('a')).rejects.toThrow('failpoint store.read#2.after');
  });

  it('counts the operations on files of a kind apart', async () => {
    arm('store.write.idx#2.before=throw');
    const store = openStore(join(folder, 'kinds'));
    for (const key of ['one.idx', 'a.json', 'b.json', 'alive']) await store.write(key, 'x');
    await expect(store.write('two.idx', 'x')).rejects.toThrow('failpoint store.write.idx#2.before');
  });

  it('throws between the writing of a local file and its naming, and leaves neither', async () => {
    arm('local.written.idx=throw');
    const store = openStore(join(folder, 'unnamed'));
    await store.write('a.json', 'x');
    await expect(store.write('one.idx', 'x')).rejects.toThrow('failpoint local.written.idx');
    expect(readdirSync(join(folder, 'unnamed'))).toEqual(['a.json']);
  });

  it('counts over all stores, and anew when the failpoints change', async () => {
    arm('store#2.before=throw');
    const [one, other] = [openStore(join(folder, 'one')), openStore(join(folder, 'other'))];
    await one.stat('a');
    await expect(other.stat('a')).rejects.toThrow('store#2.before');
    arm('store#1.before=throw');
    await expect(one.stat('a')).rejects.toThrow('store#1.before');
    await one.stat('a');
  });
});
