import type { Contract } from '../contract/contract';
import { PRIMARY_KEY_GATE } from '../contract/contract';
import { TerminalError } from '../errors';

/** Counts of one partition, or of several together. All are rows but `ambiguous`, which counts primary keys. */
export interface Counts {
  readonly read: number;
  readonly superseded: number;
  readonly ambiguous: number;
  /** Of `superseded`, those that ought to come back and cannot, because their raw files are gone; absent when there are none. */
  readonly unrecoverable?: number;
  readonly quarantined: number;
  readonly published: number;
  /** Rows whose stored partition column differs from their folder's date. */
  readonly misfiled: number;
  /** Violations by gate name, in contract order, the reserved `primaryKey` first; gates with none are listed with 0. */
  readonly violations: Readonly<Record<string, number>>;
}

/** The names under which rows can be quarantined, in report order: the reserved `primaryKey`, then the contract's gates. */
export function gateNames(contract: Pick<Contract, 'gates'>): string[] {
  return [PRIMARY_KEY_GATE, ...contract.gates.map((gate) => gate.name)];
}

/** Counts of nothing, with every gate listed. */
export function zeroCounts(gates: readonly string[]): Counts {
  return {
    read: 0,
    superseded: 0,
    ambiguous: 0,
    quarantined: 0,
    published: 0,
    misfiled: 0,
    violations: byGate(gates, () => 0),
  };
}

/** The sum of two counts; gates keep the order of `a`, those only `b` has come last. */
export function addCounts(a: Counts, b: Counts): Counts {
  const unrecoverable = (a.unrecoverable ?? 0) + (b.unrecoverable ?? 0);
  return {
    read: a.read + b.read,
    superseded: a.superseded + b.superseded,
    ambiguous: a.ambiguous + b.ambiguous,
    ...(unrecoverable > 0 && { unrecoverable }),
    quarantined: a.quarantined + b.quarantined,
    published: a.published + b.published,
    misfiled: a.misfiled + b.misfiled,
    violations: byGate(
      [...new Set([...Object.keys(a.violations), ...Object.keys(b.violations)])],
      (gate) => (own(a.violations, gate) ?? 0) + (own(b.violations, gate) ?? 0),
    ),
  };
}

/** The sum over `all`, with `gates` listed first and in their order. */
export function sumCounts(gates: readonly string[], all: Iterable<Counts>): Counts {
  let sum = zeroCounts(gates);
  for (const counts of all) sum = addCounts(sum, counts);
  return sum;
}

/**
 * Refuses counts in which a row was lost or doubled: read = superseded + quarantined + published (SEMANTICS 6.1).
 * @param where What the counts are of, for the message: `partition 2026-05-01`.
 * @throws TerminalError `ConservationError`.
 */
export function checkConservation(where: string, counts: Counts): void {
  const accounted = counts.superseded + counts.quarantined + counts.published;
  if (counts.read === accounted) return;
  const off = counts.read - accounted;
  throw new TerminalError(
    'ConservationError',
    `${where}: ${counts.read} rows were read, but ${counts.superseded} superseded + ${counts.quarantined} quarantined + ` +
      `${counts.published} published = ${accounted}: ${Math.abs(off)} ${off > 0 ? 'missing' : 'too many'}. ` +
      'Nothing was published. This is a fault in Tidegate, please report it.',
  );
}

/** A record with these keys, safe for gate names such as `__proto__`. */
function byGate(gates: readonly string[], count: (gate: string) => number): Record<string, number> {
  return Object.fromEntries(gates.map((gate) => [gate, count(gate)]));
}

function own(violations: Readonly<Record<string, number>>, gate: string): number | undefined {
  return Object.hasOwn(violations, gate) ? violations[gate] : undefined;
}
