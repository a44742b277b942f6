import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { Contract } from '../../../src/contract';
import type { RunScope } from '../../../src/discovery/plan-types';
import type { PartitionState, Table, TableState } from '../../../src/publish';
import { sameRows } from './history';
import type { RawZone } from './raw-zone';
import type { Comparison, Expected, LostRow, SqlOracle, TablePlace } from './sql-oracle';

interface Version {
  /** Whose rules of resolution it follows. */
  readonly contract: Contract;
  readonly watermark: string | null;
  /** Rows that could not be read when it was made; null: unknown. */
  readonly lost: readonly LostRow[] | null;
  /** By the oracle; null: unknown. */
  superseded: Promise<readonly LostRow[]> | null;
}

/** Who made a version, and how. */
export interface Made {
  readonly scope: RunScope;
  readonly contract: Contract;
  /** Whether the raw zone moved meanwhile. */
  readonly moved: boolean;
  /** Which step of the history it is, for what is told. */
  readonly step: number;
}

/** The versions of a table: what each must be, and whether it is. */
export class Ledger {
  /** By version; there is no version 0. */
  readonly #versions: (Version | null)[] = [null];
  /** The oracle works while the history goes on. */
  readonly #comparisons: Promise<void>[] = [];

  constructor(
    readonly zone: RawZone,
    readonly oracle: SqlOracle,
  ) {}

  get newest(): { readonly version: number; readonly contract: Contract } | null {
    const newest = this.#versions.at(-1);
    return newest ? { version: this.#versions.length - 1, contract: newest.contract } : null;
  }

  get compared(): number {
    return this.#comparisons.length;
  }

  /** Whether a partition was published under other row-wise gates than those of the contract (SEMANTICS 8.3). */
  isStale({ version }: PartitionState, contract: Contract): boolean {
    return !sameRows(this.#versions[version]!.contract, contract);
  }

  /** Looks at the table; a version not seen before is held against the oracle. Returns whether there is one. */
  async look(state: TableState, table: Table, made: Made): Promise<boolean> {
    const known = this.#versions.length - 1;
    if (state.version === known) return false;
    if (state.version !== known + 1) throw new Error(`the table went from version ${known} to ${state.version}`);
    const { scope } = made;
    const version = scope.kind === 'rollback' ? { ...this.#versions[scope.to]! } : await this.#next(state, table, made);
    this.#versions.push(version);
    if (state.watermark !== version.watermark) {
      throw new Error(`the watermark is ${state.watermark}, expected ${version.watermark}`);
    }
    await this.#compare(state, table, made);
    return true;
  }

  /** Holds the newest version against the oracle once more, with all rows that can be read now. */
  async lookAgain(state: TableState, table: Table, made: Made): Promise<void> {
    const newest = this.#versions[state.version]!;
    const lost = newest.lost && newest.lost.filter(([date]) => !this.zone.holds(date));
    this.#versions[state.version] = { ...newest, lost };
    await this.#compare(state, table, made);
  }

  /** @throws Error of the first version that is not what it must be. */
  async judged(): Promise<void> {
    const outcomes = await Promise.allSettled(this.#comparisons);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  /** SEMANTICS 3.5: the watermark is the greatest date an incremental run has consumed; what is coupled was consumed before. */
  async #next(state: TableState, table: Table, made: Made): Promise<Version> {
    const before = this.#versions.at(-1)?.watermark ?? null;
    const { partitions } = await table.report(state.version);
    const consumed = partitions.filter(({ reason }) => reason !== 'coupled').map(({ date }) => date);
    const watermark = [before, ...consumed].reduce((most, date) => ((date ?? '') > (most ?? '') ? date : most), null);
    return {
      contract: made.contract,
      watermark: made.scope.kind === 'incremental' ? watermark : before,
      lost: await this.#lostRows(state, made),
      superseded: null,
    };
  }

  /**
   * In scope `table`, what was superseded in a partition that is gone cannot come back while its outcome stands
   * (SEMANTICS 3.4). Null: unknown, as the partition went while a run was under way.
   */
  async #lostRows({ partitions }: TableState, { contract, moved }: Made): Promise<readonly LostRow[] | null> {
    const before = this.#versions.at(-1);
    if (contract.deduplicate.scope !== 'table' || !before) return [];
    const gone = new Set<string>([...partitions.keys()].filter((date) => !this.zone.holds(date)));
    if (gone.size === 0) return [];
    const superseded = moved ? null : await before.superseded;
    return superseded && superseded.filter(([date]) => gone.has(date));
  }

  /** SEMANTICS 1.2: one full run over the files that the commit names, each partition by the rules it was published under. */
  async #compare(state: TableState, table: Table, made: Made): Promise<void> {
    const newest = this.#versions.at(-1)!;
    const { contract, lost } = newest;
    if (lost === null) return;
    const partitions = [...state.partitions.values()];
    const byRules = new Map<string, { contract: Contract; dates: string[] }>();
    for (const { date, version } of partitions) {
      const rules = { ...contract, gates: this.#versions[version]!.contract.gates };
      const key = JSON.stringify(rules.gates);
      byRules.set(key, { contract: rules, dates: [...(byRules.get(key)?.dates ?? []), date] });
    }
    const told: string[] = [];
    const report = await table.report(state.version);
    if (report.kind !== 'rollback') {
      const stale = partitions.filter((partition) => this.isStale(partition, made.contract)).map(({ date }) => date);
      told.push(...difference('stale', report.stale, stale.toSorted()));
    }
    const compared = this.oracle.compare({
      rules: byRules.size === 0 ? [{ contract, dates: [] }] : [...byRules.values()],
      manifest: partitions.flatMap((partition) => this.zone.manifestOf(partition)),
      lost,
      table: pinned(contract),
    });
    newest.superseded = compared.then(({ superseded }) => superseded);
    const found = Object.fromEntries(partitions.map((partition) => [partition.date, partition.counts]));
    const judged = judge(`version ${state.version}, of step ${made.step},`, compared, ({ counts }) => [
      ...told,
      ...difference('counts', withoutTies(found, lost), withoutTies(counts, lost)),
    ]);
    // Awaited at the end; until then a rejection is not unhandled.
    for (const promise of [judged, newest.superseded]) promise.catch(() => {});
    this.#comparisons.push(judged);
  }
}

async function judge(what: string, comparison: Promise<Comparison>, more: (of: Comparison) => string[]): Promise<void> {
  const compared = await comparison;
  const told = [...compared.differences, ...more(compared)];
  if (told.length > 0) throw new Error(`${what} is not one full run over its files:\n${told.join('\n')}`);
}

/** The newest version, as a reader pins it that knows nothing of Tidegate: later ones do not move it. */
export function pinned({ publish: { format, path } }: Contract): TablePlace {
  if (format === 'directory') return { format, path: realpathSync(join(path, 'current')) };
  const newest = (table: string): number => {
    const log = join(path, table, '_delta_log');
    const names = existsSync(log) ? readdirSync(log) : [];
    return names
      .filter((name) => /^\d{20}\.json$/.test(name))
      .reduce((most, name) => Math.max(most, Number(name.slice(0, 20))), -1);
  };
  return { format, path, versions: { curated: newest('curated'), quarantine: newest('quarantine') } };
}

/** A tie with a row that cannot be read is counted as it was, or not at all. */
function withoutTies(counts: Expected['counts'], lost: readonly LostRow[]): unknown {
  if (lost.length === 0) return counts;
  return Object.fromEntries(
    Object.entries(counts).map(([date, { unrecoverable: _unrecoverable, ...count }]) => [
      date,
      { ...count, ambiguous: 0 },
    ]),
  );
}

/** Nothing when both are equal. */
export function difference(what: string, found: unknown, expected: unknown): string[] {
  const [a, b] = [found, expected].map((value) => JSON.stringify(sorted(value)));
  return a === b ? [] : [`${what}: found ${a}, expected ${b}`];
}

/** The same value with the keys of its objects in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
