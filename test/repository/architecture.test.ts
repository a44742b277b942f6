import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { parseSync } from '@swc/core';

const SRC = path.join(__dirname, '..', '..', 'src');

/**
 * Which rooms a room may use, types included. One way: cli and worker → workflows and activities →
 * engine, quality, publish, discovery → contract, storage.
 */
const MAY_USE: Readonly<Record<string, readonly string[]>> = {
  contract: [],
  storage: [],
  temporal: [],
  workflows: [],
  discovery: ['contract', 'storage'],
  quality: ['contract', 'discovery'],
  engine: ['contract', 'storage', 'discovery', 'quality'],
  publish: ['contract', 'storage', 'discovery', 'engine', 'quality'],
  notify: ['contract', 'quality'],
  schedule: ['contract', 'temporal'],
  activities: ['contract', 'storage', 'discovery', 'engine', 'quality', 'publish', 'notify', 'temporal'],
  cli: [
    'contract',
    'storage',
    'discovery',
    'engine',
    'quality',
    'publish',
    'notify',
    'schedule',
    'temporal',
    'activities',
    'workflows',
  ],
};

/**
 * The words that rooms have in common, which any room may import where they stand: as types, and as
 * values when a second test finds that no I/O comes with them.
 */
const VOCABULARY = new Set([
  'errors',
  'safe-text',
  'contract/contract',
  'contract/column-type',
  'discovery/partition-date',
  'discovery/manifest',
  'discovery/plan-types',
  'storage/location',
  'storage/object-store',
  'engine/types',
  'quality/counts',
  'quality/report-types',
  'publish/table',
  'workflows/messages',
  'activities/types',
]);

/** Modules beside the rooms that any room that touches the world may use. */
const SHARED = new Set(['failpoints', 'logger', 'user-cache']);
/** Packages that only compute. */
const PURE_PACKAGES = new Set(['@js-temporal/polyfill', 'canonicalize', 'zod']);

interface Import {
  /** Module path under src, without extension: `engine/scan`. */
  readonly from: string;
  /** As written. */
  readonly specifier: string;
  /** Module path under src, or null for a package. */
  readonly to: string | null;
  /** Gone when the program runs. */
  readonly typeOnly: boolean;
}

const modules = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.replaceAll('\\', '/').replace(/\.ts$/, ''))
  .toSorted();

interface Node {
  readonly type?: string;
  readonly typeOnly?: boolean;
  readonly isTypeOnly?: boolean;
  readonly value?: unknown;
  readonly source?: Node;
  readonly argument?: Node;
  readonly callee?: Node;
  readonly specifiers?: readonly Node[];
  readonly arguments?: readonly { readonly expression?: Node }[];
}

/** What a module imports or re-exports, statically or not, and whether only types of it. */
function specifiersOf(source: string): { specifier: string; typeOnly: boolean }[] {
  const found: { specifier: string; typeOnly: boolean }[] = [];
  const add = (from: Node | undefined, typeOnly: boolean): void => {
    if (typeof from?.value === 'string') found.push({ specifier: from.value, typeOnly });
  };
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (typeof node !== 'object' || node === null) return;
    const { type = '', specifiers = [], callee, ...rest } = node as Node;
    if (/^(Import|ExportNamed|ExportAll)Declaration$/.test(type)) {
      const allTypes = specifiers.length > 0 && specifiers.every((one) => one.isTypeOnly === true);
      add(rest.source, rest.typeOnly === true || allTypes);
    }
    if (type === 'TsImportType') add(rest.argument, true);
    if (callee?.type === 'Import' || callee?.value === 'require') add(rest.arguments?.[0]?.expression, false);
    Object.values(node).forEach(visit);
  };
  visit(parseSync(source, { syntax: 'typescript' }).body);
  return found;
}

/** `./x` may be x.ts or x/index.ts; a room's own name stands for its door. */
function importsOf(module: string): Import[] {
  return specifiersOf(readFileSync(path.join(SRC, `${module}.ts`), 'utf8')).map(({ specifier, typeOnly }) => {
    if (!specifier.startsWith('.')) return { from: module, specifier, to: null, typeOnly };
    const to = path.posix.normalize(path.posix.join(path.posix.dirname(module), specifier)).replace(/\/$/, '');
    return { from: module, specifier, to, typeOnly };
  });
}
const imports = modules.flatMap(importsOf);
const roomOf = (module: string): string | null => (module.includes('/') ? (module.split('/')[0] ?? null) : null);
const isRoom = (module: string): boolean => Object.hasOwn(MAY_USE, module);
const show = ({ from, specifier }: Import): string => `src/${from}.ts imports '${specifier}'`;

/** Why an import breaks the rules, or null. */
function faultOf({ from, to }: Import): string | null {
  if (to === null || VOCABULARY.has(to)) return null;
  const here = roomOf(from);
  const there = isRoom(to) ? to : roomOf(to);
  if (there === null) {
    if (SHARED.has(to)) return null;
    return here === null || here === 'cli' ? null : 'rooms do not use what puts them together';
  }
  if (here === there) return null;
  if (!isRoom(to) && to !== `${there}/index`) return `reaches past the door of ${there}`;
  return here === null || MAY_USE[here]?.includes(there) === true ? null : `${here} may not use ${there}`;
}

test('the test sees every kind of import', () => {
  const source = `
    import a from './a'; import type { B } from './b'; export * from './c'; export { d } from './d';
    export type { E } from './e'; type F = import('./f').F; const g = await import('./g'); const h = require('./h');
    import { i, type I } from './i'; import './j'; import { type K } from './k';`;
  const seen = (typeOnly: boolean): string[] =>
    specifiersOf(source)
      .filter((one) => one.typeOnly === typeOnly)
      .map(({ specifier }) => specifier.slice(2))
      .toSorted();
  expect(seen(false)).toEqual(['a', 'c', 'd', 'g', 'h', 'i', 'j']);
  expect(seen(true)).toEqual(['b', 'e', 'f', 'k']);
});

test('the test knows a forbidden import', () => {
  const fault = (from: string, to: string): string | null => faultOf({ from, specifier: to, to, typeOnly: false });
  expect(fault('storage/local-store', 'engine')).toBe('storage may not use engine');
  expect(fault('activities/run', 'engine/scan')).toBe('reaches past the door of engine');
  expect(fault('engine/scan', 'worker')).toBe('rooms do not use what puts them together');
  expect(fault('workflows/run', 'activities')).toBe('workflows may not use activities');
  expect(fault('activities/run', 'engine')).toBeNull();
  expect(fault('worker', 'activities')).toBeNull();
});

test('every room is known', () => {
  const rooms = new Set(modules.map(roomOf).filter((room) => room !== null));
  expect([...rooms].filter((room) => !isRoom(room))).toEqual([]);
});

test('the directions that are allowed form no circle', () => {
  const reached = (room: string, seen: readonly string[]): string[] =>
    seen.includes(room)
      ? [[...seen, room].join(' → ')]
      : (MAY_USE[room] ?? []).flatMap((next) => reached(next, [...seen, room]));
  expect(Object.keys(MAY_USE).flatMap((room) => reached(room, []))).toEqual([]);
});

test('rooms are entered by their door, in one direction', () => {
  const faults = imports.flatMap((one) => {
    const fault = faultOf(one);
    return fault === null ? [] : [`${show(one)}: ${fault}`];
  });
  expect(faults).toEqual([]);
});

/** The packages that a module brings into the program, itself or by what it imports. */
function packagesOf(module: string, seen = new Set<string>()): string[] {
  const file = modules.includes(module) ? module : `${module}/index`;
  if (seen.has(file)) return [];
  seen.add(file);
  return imports
    .filter(({ from, typeOnly }) => from === file && !typeOnly)
    .flatMap(({ specifier, to }) => (to === null ? [specifier] : packagesOf(to, seen)));
}

test('no I/O comes with a value that rooms have in common', () => {
  const isShared = ({ from, to, typeOnly }: Import): boolean =>
    to !== null && !typeOnly && VOCABULARY.has(to) && roomOf(from) !== roomOf(to);
  const taken = new Set(imports.filter(isShared).map(({ to }) => to ?? ''));
  const impure = [...taken].map((module) => [module, packagesOf(module).filter((name) => !PURE_PACKAGES.has(name))]);
  expect(impure.filter(([, packages]) => packages?.length !== 0)).toEqual([]);
  expect(taken).toContain('workflows/messages');
});

test('a module of src is short, and named in kebab-case', () => {
  const lines = (module: string): number => readFileSync(path.join(SRC, `${module}.ts`), 'utf8').split('\n').length - 1;
  expect(modules.filter((module) => lines(module) > 300)).toEqual([]);
  expect(modules.filter((module) => !/^([a-z0-9]+(-[a-z0-9]+)*\/)*[a-z0-9]+(-[a-z0-9]+)*$/.test(module))).toEqual([]);
});
