import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { WorkflowType } from '../../src/workflows/messages';

const ROOT = path.join(__dirname, '..', '..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
const manifest = JSON.parse(read('package.json')) as {
  bin: Record<string, string>;
  main: string;
  types: string;
  files: string[];
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};

test('what the package promises is in dist, and its command is executable', () => {
  for (const file of [manifest.main, manifest.types, ...Object.values(manifest.bin)]) {
    expect([file, existsSync(path.join(ROOT, file))]).toEqual([file, true]);
  }
  for (const file of Object.values(manifest.bin)) accessSync(path.join(ROOT, file), constants.X_OK);
  for (const file of manifest.files) expect([file, existsSync(path.join(ROOT, file))]).toEqual([file, true]);
});

test('every module of src is compiled, and nothing else is in dist', () => {
  const modules = (folder: string, ending: RegExp): string[] =>
    readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => ending.test(file))
      .map((file) => file.replace(ending, ''))
      .toSorted();
  expect(modules('dist', /\.js$/).filter((name) => name !== 'workflow-bundle')).toEqual(modules('src', /\.ts$/));
});

test('a build that is up to date is not made again', () => {
  const stamp = path.join(ROOT, 'dist', '.build-stamp');
  const before = statSync(stamp).ino;
  const run = spawnSync(process.execPath, ['scripts/build.js', '--if-stale'], { cwd: ROOT });
  expect(run.status).toBe(0);
  expect(statSync(stamp).ino).toBe(before);
});

test('the workflows are bundled under the names that they are started by', () => {
  const bundle = read('dist/workflow-bundle.js');
  for (const name of Object.values(WorkflowType)) expect(bundle).toContain(`exports.${name} =`);
});

test('versions of dependencies are exact', () => {
  for (const version of Object.values({ ...manifest.dependencies, ...manifest.devDependencies })) {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  }
});

test('the lock file knows every optional package of every platform', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { version?: string; optionalDependencies?: Record<string, string> }>;
  };
  const locked = new Set(
    Object.entries(packages)
      .filter(([, { version }]) => version !== undefined)
      .map(([place]) => place.split('node_modules/').at(-1)),
  );
  const missing = Object.entries(packages).flatMap(([owner, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !locked.has(name))
      .map((name) => `${name}, of ${owner}`),
  );
  expect(missing).toEqual([]);
});

test('the scripts that others name are there', () => {
  const named = ['check', 'test', 'build', 'demo', 'tools:temporal', 'tools:tctl'];
  expect(Object.keys(manifest.scripts)).toEqual(expect.arrayContaining(named));
});

test("no file that is committed names a machine's own folder", () => {
  const files = execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' }).split('\0');
  const naming = files.filter((file) => {
    if (file === '' || !existsSync(path.join(ROOT, file)) || statSync(path.join(ROOT, file)).size > 2_000_000)
      return false;
    return /(^|[^\w.-])\/(work\/|root\/\.|home\/\w+\/\.)/m.test(read(file));
  });
  expect(naming).toEqual([]);
});
