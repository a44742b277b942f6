import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type Node,
  type Pair,
} from 'yaml';
import { formatDecimal, parseDecimal } from './decimal-text';
import { formatKeyPath, type Finding, type KeyPath } from './faults';
import { show } from './values';

export interface Place {
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
}

/** A contract's text as a value, knowing where everything stood. */
export interface ReadDocument {
  readonly value: unknown;
  readonly findings: readonly (Finding & { readonly place?: Place })[];
  /** Whether the text could be read as a whole; if not, `value` is not worth checking. */
  readonly whole: boolean;
  /** Keys of the mapping under `path`, in the order of the text. */
  keysOf(path: KeyPath): readonly string[] | undefined;
  /** Where a key or its value stands; for what is missing, where its parent does. */
  locate(path: KeyPath, at: 'key' | 'value'): Place;
  /** Of a character of the text. */
  placeOf(offset: number): Place;
}

/** Values a contract may expand to; more is an attack with aliases, or not a contract. */
const MAX_NODES = 50_000;
const MAX_DEPTH = 32;
const PLAIN_TAG = /^tag:yaml\.org,2002:(?:str|int|float|bool|null|map|seq)$/;

/** Reads YAML 1.2 (of which JSON is a part). Dates, `yes` and `on` are text in it. */
export function readDocument(text: string): ReadDocument {
  const lines = new LineCounter();
  const doc = parseDocument(text, { version: '1.2', schema: 'core', lineCounter: lines, prettyErrors: false });
  const reader = new Reader(doc, (offset) => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  });
  const value = reader.read(doc.contents, [], 0);
  return {
    value,
    findings: reader.findings,
    whole: reader.findings.length === 0 || reader.harmless,
    keysOf: (path) => reader.keys.get(formatKeyPath(path)),
    locate: (path, at) => reader.locate(path, at),
    placeOf: reader.placeOf,
  };
}

class Reader {
  readonly findings: (Finding & { place?: Place })[] = [];
  readonly keys = new Map<string, string[]>();
  /** True while every finding leaves the rest of the document readable. */
  harmless = true;
  readonly #places = new Map<string, { key?: number; value: number }>();
  #nodes = 0;

  constructor(
    readonly doc: Document.Parsed,
    readonly placeOf: (offset: number) => Place,
  ) {
    if (doc.directives?.yaml.explicit && doc.directives.yaml.version !== '1.2') {
      this.#add(0, { path: [], at: 'value', problem: 'a %YAML directive', allowed: 'YAML 1.2, which needs none' });
    }
    for (const error of doc.errors) {
      if (error.code === 'MULTIPLE_DOCS') {
        this.#add(error.pos[0], {
          path: [],
          at: 'value',
          problem: 'a second document',
          allowed: 'one contract a file',
        });
      } else if (error.code !== 'DUPLICATE_KEY') {
        this.harmless = false;
        this.#add(error.pos[0], { path: [], at: 'value', problem: `not YAML: ${error.message}` });
      }
    }
  }

  locate(path: KeyPath, at: 'key' | 'value'): Place {
    for (let length = path.length; length >= 0; length--) {
      const place = this.#places.get(formatKeyPath(path.slice(0, length)));
      if (place === undefined) continue;
      const missing = length < path.length;
      return this.placeOf(at === 'key' || missing ? (place.key ?? place.value) : place.value);
    }
    return { line: 1, column: 1 };
  }

  read(node: unknown, path: KeyPath, depth: number, keyOffset?: number): unknown {
    this.#nodes += 1;
    if (this.#nodes > MAX_NODES || depth > MAX_DEPTH) {
      if (this.#nodes === MAX_NODES + 1 || depth === MAX_DEPTH + 1) {
        this.harmless = false;
        this.#add(keyOffset ?? 0, { path, at: 'value', problem: 'too large or too deep for a contract' });
      }
      return null;
    }
    const offset = startOf(node) ?? keyOffset ?? 0;
    this.#places.set(formatKeyPath(path), { key: keyOffset, value: offset });
    if (isAlias(node)) {
      const target = node.resolve(this.doc);
      if (target !== undefined) return this.read(target, path, depth + 1, keyOffset ?? offset);
      this.#add(offset, {
        path,
        at: 'value',
        problem: 'an alias without an anchor before it',
        found: show(`*${node.source}`),
      });
      return null;
    }
    const tag = isNode(node) ? node.tag : undefined;
    if (tag !== undefined && !PLAIN_TAG.test(tag)) {
      this.#add(offset, { path, at: 'value', problem: 'a YAML tag', found: show(tag), allowed: 'plain values' });
      return null;
    }
    if (isMap(node)) return this.#readMap(node.items, path, depth);
    if (isSeq(node)) return node.items.map((item, index) => this.read(item, [...path, index], depth + 1));
    return isScalar(node) ? this.#readScalar(node.value, node.source, path, offset) : null;
  }

  #readMap(items: readonly Pair[], path: KeyPath, depth: number): unknown {
    const result: Record<string, unknown> = {};
    const keys: string[] = [];
    this.keys.set(formatKeyPath(path), keys);
    for (const { key, value } of items) {
      const offset = startOf(key) ?? 0;
      const name = isScalar(key) ? key.value : undefined;
      if (typeof name !== 'string') {
        const found = isScalar(key) && key.source ? key.source : undefined;
        this.#add(offset, { path, at: 'value', problem: 'a key that is not text', found, hint: 'put it in quotes' });
        continue;
      }
      if (keys.includes(name)) {
        this.#add(offset, { path: [...path, name], at: 'key', problem: 'this key stands twice' });
        continue;
      }
      keys.push(name);
      const read = this.read(value, [...path, name], depth + 1, offset);
      Object.defineProperty(result, name, { value: read, enumerable: true, configurable: true, writable: true });
    }
    return result;
  }

  #readScalar(value: unknown, source: string | undefined, path: KeyPath, at: number): unknown {
    if (typeof value === 'number' && source !== undefined && losesDigits(value, source)) {
      const hint = 'write fewer, or put it in quotes if the column is a decimal or 64 bits wide';
      this.#add(at, { path, at: 'value', problem: 'more digits than a number can hold', found: source, hint });
    }
    return value;
  }

  #add(offset: number, finding: Finding): void {
    this.findings.push({ ...finding, place: this.placeOf(offset) });
  }
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}

/** Whether the number that was read is another one than the text says. */
function losesDigits(value: number, source: string): boolean {
  if (!Number.isFinite(value)) return false;
  const [read, written] = [
    parseDecimal(value),
    parseDecimal(source.replace(/^([+-]?)\./, '$10.').replace(/\.(?=$|e)/i, '')),
  ];
  if (read === null || written === null) return !Number.isSafeInteger(value) && Number.isInteger(value);
  return formatDecimal(read) !== formatDecimal(written);
}
