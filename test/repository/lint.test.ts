import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const ROOT = path.join(__dirname, '..', '..');
const OXLINT = path.join(path.dirname(require.resolve('oxlint/package.json')), 'bin', 'oxlint');

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'tidegate-lint-'));
  for (const name of ['.oxlintrc.json', 'tsconfig.json']) copyFileSync(path.join(ROOT, name), path.join(dir, name));
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(dir, 'node_modules'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Lints one file by the repository's own rules: `line rule` of each complaint. */
function lint(file: string, source: string): string[] {
  const target = path.join(dir, file);
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, source);
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [OXLINT, '--type-aware', '--deny-warnings', '--format', 'unix', 'src'],
    { cwd: dir, encoding: 'utf8' },
  );
  if (/failed/i.test(stderr)) throw new Error(stderr);
  return [...stdout.matchAll(/^[^\n]*?:(\d+):\d+: .*\[\w+\/(.*)\]$/gm)].map(([, line, rule]) => `${line} ${rule}`);
}

describe('workflow code', () => {
  test.each([
    ["import { readFileSync } from 'node:fs';\nreadFileSync('');\n", '1 eslint(no-restricted-imports)'],
    ["import { x } from 'fs';\nx();\n", '1 eslint(no-restricted-imports)'],
    ["import pl from 'nodejs-polars';\npl();\n", '1 eslint(no-restricted-imports)'],
    ["import { x } from '@temporalio/activity';\nx();\n", '1 eslint(no-restricted-imports)'],
    ["import { scan } from '../engine';\nscan();\n", '1 eslint(no-restricted-imports)'],
    ["import { publish } from '../activities/types';\npublish();\n", '1 eslint(no-restricted-imports)'],
    ["import { type A, publish } from '../activities';\npublish(0 as A);\n", '1 eslint(no-restricted-imports)'],
    ["export { scan } from '../engine';\n", '1 eslint(no-restricted-imports)'],
    ["export const scan = () => import('../engine');\n", '1 eslint(no-restricted-imports)'],
    ['export const now = process.hrtime();\n', '1 eslint(no-restricted-globals)'],
  ])('may not contain %j', (source, complaint) => {
    expect(lint('src/workflows/bad.ts', source)).toContain(complaint);
  });

  test('may import workflow code, types, the SDK for workflows and the pure helpers', () => {
    const source = [
      "import { sleep } from '@temporalio/workflow';",
      "import type { Activities } from '../activities/types';",
      "import { addDays } from '../discovery/partition-date';",
      "import { messageOf } from '../errors';",
      "import { WorkflowType } from './messages';",
      'export const used = (a: Activities): unknown => [a, sleep, addDays, messageOf, WorkflowType];',
      '',
    ].join('\n');
    expect(lint('src/workflows/good.ts', source)).toEqual([]);
  });

  test('is held to this only where it is workflow code', () => {
    expect(lint('src/engine/fine.ts', "import { sep } from 'node:path';\nexport const one = sep;\n")).toEqual([]);
  });
});

test('a floating promise is an error anywhere', () => {
  const source = 'async function work(): Promise<void> {}\nexport function start(): void {\n  work();\n}\n';
  expect(lint('src/cli/bad.ts', source)).toContain('3 typescript(no-floating-promises)');
});
