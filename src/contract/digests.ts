import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { formatColumnType } from './column-type';
import type { Contract, Gate } from './contract';

/**
 * Digest of everything that decides which rows win and what a table's rows look like: partition column,
 * declared columns with their types and order, primary key, ordering, scope, unique gates (SEMANTICS 8.2).
 * When it changes, the whole table must be restated. Names whose order cannot matter are sorted.
 */
export function resolutionDigest(contract: Contract): string {
  const { primaryKey, orderBy, scope } = contract.deduplicate;
  return digest({
    partitionColumn: contract.source.partitionColumn,
    columns: contract.columns.map(({ name, type }) => [name, formatColumnType(type)]),
    primaryKey: primaryKey.toSorted(),
    orderBy: orderBy.map(({ column, direction }) => [column, direction]),
    scope,
    unique: contract.gates
      .filter((gate) => gate.kind === 'unique')
      .map((gate) => ({ ...gate, columns: gate.columns.toSorted() }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  });
}

/**
 * Digest of the row-wise gates (SEMANTICS 8.3): partitions published under another one are stale.
 * The order of gates counts, that of unique gates included, because a quarantined row lists its
 * violations in contract order; the order of a gate's `values` does not.
 */
export function rowsDigest(contract: Contract): string {
  return digest(contract.gates.map(ruleOf));
}

function ruleOf(gate: Gate): unknown {
  if (gate.kind === 'unique') return { kind: gate.kind, name: gate.name };
  if (gate.kind === 'oneOf') return { ...gate, values: gate.values.map((value) => JSON.stringify(value)).toSorted() };
  return gate;
}

function digest(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('a contract is plain JSON');
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
