import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

interface Fault {
  readonly name: string;
  readonly patches: readonly { readonly file: string; readonly find: string; readonly replace: string }[];
  /** Files, or `histories`. */
  readonly tests: readonly string[];
  /** Which tests of them. */
  readonly named?: string;
}

const ROOT = path.join(__dirname, '..', '..');
const { faults } = require(path.join(ROOT, 'scripts', 'mutations')) as { faults: readonly Fault[] };
const { patched } = require(path.join(ROOT, 'scripts', 'apply-patches')) as {
  patched: (fault: Pick<Fault, 'name' | 'patches'>, read: (file: string) => string) => Map<string, string>;
};
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

/** `npm run check:mutations` takes long and is run by hand: what makes it stale is to be seen at once. */
test('every fault of the mutation check can be put into the sources as they are', () => {
  expect(faults.length).toBeGreaterThan(30);
  for (const fault of faults) {
    const files = patched(fault, read);
    for (const [file, text] of files)
      expect([fault.name, file, text === read(file)]).toEqual([fault.name, file, false]);
  }
});

test('the faults have names of their own, and tests that exist', () => {
  expect(new Set(faults.map(({ name }) => name)).size).toBe(faults.length);
  const files = faults.flatMap(({ tests }) => tests).filter((file) => file !== 'histories');
  expect(files.filter((file) => !existsSync(path.join(ROOT, file)))).toEqual([]);
  const misnamed = faults.filter(({ tests, named }) => named && !tests.some((file) => read(file).includes(named)));
  expect(misnamed).toEqual([]);
});

test.each([
  ['is not there', 'text', 'found it 0 times'],
  ['is there twice', 'some some', 'found it 2 times'],
])('a fault whose text %s is refused', (_, source, message) => {
  const fault = { name: 'no fault', patches: [{ file: 'a.ts', find: 'some', replace: '' }] };
  expect(() => patched(fault, () => source)).toThrow(message);
});

test('the patches of a fault to one file are put on each other', () => {
  const patches = [
    { file: 'a.ts', find: 'one', replace: 'two $& two' },
    { file: 'a.ts', find: '$&', replace: 'three' },
  ];
  expect(patched({ name: 'no fault', patches }, () => 'one.')).toEqual(new Map([['a.ts', 'two three two.']]));
});
