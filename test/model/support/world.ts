import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  utimesSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Contract } from '../../../src/contract';
import type { RunScope } from '../../../src/discovery/plan-types';
import { type PartitionState, type Table, type TableState, openTable } from '../../../src/publish';
import { type RunActivity, failureType, runPipeline } from '../../support/run-pipeline';
import { type Fate, underDoom } from './fs-faults';
import {
  COLUMNS,
  type Content,
  DAYS,
  FILES,
  type History,
  type RawStep,
  type RunStep,
  type Step,
  contentsOf,
  contractOf,
  sameResolution,
  sameRows,
} from './history';
import type { Comparison, Expected, LostRow, ManifestEntry, SqlOracle, TablePlace } from './sql-oracle';

/** Seconds since 1970 of the first file; each file written is a second younger than the one before. */
const FIRST_FILE = 1_770_000_000;

/** What landed in the raw zone, and when it was written: by its time alone, as no two files are written at one time. */
interface Landed {
  readonly path: string;
  readonly content: number;
  readonly seconds: number;
}

interface Version {
  /** Rows that could not be read when it was made; null: unknown. */
  readonly lost: readonly LostRow[] | null;
  /** By the oracle; null: unknown. */
  superseded: Promise<readonly LostRow[]> | null;
  readonly watermark: string | null;
  /** Whose rules of resolution the version follows. */
  readonly contract: Contract;
}

/** What a history came to, in numbers: a model test that never crashes or commits shows nothing. */
export interface Tally {
  commits: number;
  crashes: number;
  refusals: number;
  compared: number;
}

export const noTally = (): Tally => ({ commits: 0, crashes: 0, refusals: 0, compared: 0 });

/** Thrown where a process died and nobody went on. */
class Died extends Error {}

const INCREMENTAL: RunStep = { do: 'incremental' };

/** One history of so many ends with `verify`. */
const VERIFIED = 6;

/**
 * A raw zone, a contract and a table in a folder of their own, to which a history happens. Every version that
 * is committed is held against the oracle: it must be one full run over the files that its commit names.
 */
export class World {
  #history: Pick<History, 'format' | 'rules'>;
  #contract: Contract;
  readonly #zone = new Map<string, Landed>();
  readonly #everLanded: Landed[] = [];
  readonly #contentAt = new Map<string, number>();
  /** By version; there is no version 0. */
  readonly #versions: (Version | null)[] = [null];
  /** The oracle works while the history goes on. */
  readonly #comparisons: Promise<void>[] = [];
  #step = -1;
  #requests = 0;
  #clock = 0;
  readonly #contents: ReadonlyMap<Content, number>;

  private constructor(
    readonly root: string,
    history: History,
    readonly oracle: SqlOracle,
    readonly tally: Tally,
  ) {
    this.#history = history;
    this.#contract = contractOf(history, root);
    this.#contents = new Map(contentsOf(history).map(({ content }, index) => [content, index]));
  }

  /** Makes a history happen, then lets the pipeline settle. @throws Error saying what is not as it must be. */
  static async replay(history: History, root: string, oracle: SqlOracle, tally: Tally = noTally()): Promise<World> {
    const world = new World(root, history, oracle, tally);
    mkdirSync(world.#contract.source.path, { recursive: true });
    mkdirSync(world.#archive);
    const files = contentsOf(history).map(({ content, day }, version) => {
      const date = content.stored === 'other' ? DAYS.at(day - 1)! : DAYS[day]!;
      const dated = content.stored !== 'none';
      return {
        version,
        path: join(world.#archive, `${version}.parquet`),
        writer: content.writer,
        columns: dated ? [...COLUMNS, 'date'] : COLUMNS,
        rows: content.lines.map((line) => (dated ? [...line, date] : line)),
      };
    });
    if (files.length > 0) await oracle.write(files);
    try {
      for (const step of history.steps) {
        world.#step += 1;
        await world.#happen(step);
      }
      world.#step += 1;
      await world.#settle(history);
      await Promise.all(world.#comparisons);
    } catch (error) {
      await Promise.allSettled(world.#comparisons);
      const last = history.steps[world.#step];
      throw new Error(`${last ? `step ${world.#step}, ${JSON.stringify(last)}` : 'the end'}: ${String(error)}`, {
        cause: error,
      });
    }
    return world;
  }

  get table(): Table {
    return openTable(this.#contract);
  }

  /** What stands there now: rows in order, and counts. */
  async published(): Promise<Expected> {
    const { partitions } = await this.table.read();
    const rows = await this.oracle.read(COLUMNS, pinned(this.#contract));
    return { ...rows, counts: Object.fromEntries([...partitions.values()].map(({ date, counts }) => [date, counts])) };
  }

  get #archive(): string {
    return join(this.root, 'archive');
  }

  get #newest(): Version | null {
    return this.#versions.at(-1) ?? null;
  }

  async #happen(step: Step): Promise<void> {
    switch (step.do) {
      case 'put':
      case 'drop':
      case 'dropDay':
      case 'restore':
      case 'move':
        return this.#change(step);
      case 'contract':
        this.#history = { ...this.#history, rules: { ...this.#history.rules, ...step.rules } };
        this.#contract = contractOf(this.#history, this.root);
        return undefined;
      case 'lose indexes':
        rmSync(join(this.#contract.publish.path, this.table.indexFolder), { recursive: true, force: true });
        return undefined;
      case 'vacuum':
        await this.table.vacuum({ dryRun: false, olderThanHours: 0, now: new Date(Date.now() + 2 * 3_600_000) });
        return undefined;
      default:
        return this.#run(step);
    }
  }

  // ---- the raw zone ------------------------------------------------------------------------------

  #change(step: RawStep): void {
    switch (step.do) {
      case 'put':
        return this.#land({
          path: pathOf(step.day, step.file),
          content: this.#contents.get(step.content)!,
          seconds: FIRST_FILE + this.#clock++,
        });
      case 'restore':
        if (this.#everLanded.length > 0) this.#land(this.#everLanded[step.nth % this.#everLanded.length]!);
        return undefined;
      case 'move': {
        const from = pathOf(step.day, step.file);
        const landed = this.#zone.get(from);
        if (landed === undefined || step.day === step.to) return undefined;
        this.#land({ ...landed, path: pathOf(step.to, step.file) });
        return this.#remove(from);
      }
      case 'drop':
        return this.#remove(pathOf(step.day, step.file));
      case 'dropDay':
        for (const file of FILES.keys()) this.#remove(pathOf(step.day, file));
        return undefined;
    }
  }

  /** By a rename, as a file that is overwritten while it is read is beyond what anybody promises. */
  #land(landed: Landed): void {
    const { path, content, seconds } = landed;
    const full = join(this.#contract.source.path, path);
    const beside = join(this.#archive, 'new');
    copyFileSync(join(this.#archive, `${content}.parquet`), beside);
    utimesSync(beside, seconds, seconds);
    mkdirSync(dirname(full), { recursive: true });
    renameSync(beside, full);
    this.#zone.set(path, landed);
    this.#everLanded.push(landed);
    this.#contentAt.set(identity(path, `${seconds}000000000`), content);
  }

  #remove(path: string): void {
    rmSync(join(this.#contract.source.path, path), { force: true });
    this.#zone.delete(path);
  }

  // ---- runs --------------------------------------------------------------------------------------

  async #run(step: RunStep): Promise<void> {
    const scope = this.#scopeOf(step);
    if (scope === null) return;
    const requestId = `request ${this.#requests++}`;
    let changed = false;
    let crashed = false;
    const around = async <T>(activity: RunActivity, attempt: () => Promise<T>): Promise<T> => {
      if (step.meanwhile?.before === activity && !changed) {
        changed = true;
        await this.#happen(step.meanwhile.change);
      }
      if (step.crash?.activity !== activity || crashed) return attempt();
      crashed = true;
      const { fate, outcome } = await underDoom(step.crash.doom, attempt);
      if (survived(fate, outcome)) return outcome.value;
      if (outcome.status === 'rejected' && !fate.dead && failureType(outcome.reason)) throw outcome.reason;
      this.tally.crashes += 1;
      if (step.crash.next === 'retry') return attempt();
      throw new Died();
    };
    const run = () =>
      runPipeline(this.#contract, requestId, scope, {
        asWorkflow: true,
        around,
        ...(step.groups && { groups: step.groups }),
      });

    const before = await this.#refusal(step);
    const outcome = await this.#outcomeOf(run, step.crash?.next);
    // Judged by the raw zone as it was, or as it became.
    const refusals = changed ? [before, await this.#refusal(step)] : [before];
    if (outcome !== 'abandoned' && !refusals.includes(outcome)) {
      throw new Error(`the run ended as ${outcome ?? 'done'}, expected ${refusals.join(' or ')}`);
    }
    if (outcome === 'RestateRequired' || outcome === 'SourceError') this.tally.refusals += 1;
    const state = await this.#look(scope, changed);
    if (outcome === null && !changed && step.do === 'incremental') this.#expectAllConsumed(state);
  }

  /** Null: done. */
  async #outcomeOf(run: () => Promise<unknown>, next: 'retry' | 'rerun' | 'abandon' | undefined) {
    try {
      try {
        await run();
      } catch (error) {
        if (!(error instanceof Died)) throw error;
        if (next === 'abandon') return 'abandoned';
        await run();
      }
      return null;
    } catch (error) {
      const type = failureType(error);
      if (type === 'RestateRequired' || type === 'SourceError') return type;
      throw error;
    }
  }

  #scopeOf(step: RunStep): RunScope | null {
    const { from = 0, to = from } = step;
    switch (step.do) {
      case 'incremental':
        return { kind: 'incremental', ...(step.removeGone && { removeGone: step.removeGone }) };
      case 'backfill':
        return { kind: 'backfill', from: DAYS[Math.min(from, to)]!, to: DAYS[Math.max(from, to)]! };
      case 'backfill all':
        return { kind: 'backfill', select: 'all' };
      case 'backfill stale':
        return { kind: 'backfill', select: 'stale' };
      default: {
        const back = this.#versions.length - 2 - from;
        return back < 1 ? null : { kind: 'rollback', to: back };
      }
    }
  }

  /** How a run must be refused, or null: SEMANTICS 8.2; and where the raw zone is empty, as a disk that is not mounted is. */
  async #refusal(step: RunStep): Promise<'RestateRequired' | 'SourceError' | null> {
    if (step.do === 'rollback' || this.#newest === null) return null;
    const partitions = [...(await this.table.read()).partitions.values()];
    const { gone } = this.#contract.incremental;
    if (partitions.length > 0 && !sameResolution(this.#newest.contract, this.#contract)) {
      if (step.do !== 'backfill all') return 'RestateRequired';
      // What is kept and cannot be restated.
      if (gone === 'keep' && partitions.some(({ date }) => !this.#hasFiles(date))) return 'RestateRequired';
    }
    if (gone === 'keep' || this.#zone.size > 0 || step.removeGone !== undefined) return null;
    const [from, to] = [step.from ?? 0, step.to ?? 0].toSorted((a, b) => a - b) as [number, number];
    const removed = partitions.filter((partition) => {
      if (step.do === 'backfill stale') return this.#isStale(partition);
      return step.do !== 'backfill' || (partition.date >= DAYS[from]! && partition.date <= DAYS[to]!);
    });
    return removed.length > 0 ? 'SourceError' : null;
  }

  #isStale({ version }: PartitionState): boolean {
    return !sameRows(this.#versions[version]!.contract, this.#contract);
  }

  #hasFiles(date: string): boolean {
    return [...this.#zone.keys()].some((path) => path.startsWith(`date=${date}/`));
  }

  // ---- what must hold ----------------------------------------------------------------------------

  /** Looks at the table; a version not seen before is held against the oracle. */
  async #look(scope: RunScope, moved: boolean): Promise<TableState> {
    const state = await this.table.read();
    const known = this.#versions.length - 1;
    if (state.version === known) return state;
    if (state.version !== known + 1) throw new Error(`the table went from version ${known} to ${state.version}`);
    const version =
      scope.kind === 'rollback' ? { ...this.#versions[scope.to]! } : await this.#made(scope, state, moved);
    this.#versions.push(version);
    if (state.watermark !== this.#newest!.watermark) {
      throw new Error(`the watermark is ${state.watermark}, expected ${this.#newest!.watermark}`);
    }
    this.tally.commits += 1;
    await this.#compare(state);
    return state;
  }

  /** SEMANTICS 3.5: the watermark is the greatest date an incremental run has consumed; what is coupled was consumed before. */
  async #made(scope: RunScope, state: TableState, moved: boolean): Promise<Version> {
    const before = this.#newest?.watermark ?? null;
    const { partitions } = await this.table.report(state.version);
    const consumed = partitions.filter(({ reason }) => reason !== 'coupled').map(({ date }) => date);
    const watermark = [before, ...consumed].reduce((most, date) => ((date ?? '') > (most ?? '') ? date : most), null);
    return {
      contract: this.#contract,
      watermark: scope.kind === 'incremental' ? watermark : before,
      lost: await this.#lostRows(state, moved),
      superseded: null,
    };
  }

  /** SEMANTICS 1.2: one full run over the files that the commit names, each partition by the rules it was published under. */
  async #compare(state: TableState): Promise<void> {
    const { contract, lost } = this.#newest!;
    if (lost === null) return;
    const partitions = [...state.partitions.values()];
    const byRules = new Map<string, { contract: Contract; dates: string[] }>();
    for (const { date, version } of partitions) {
      const rules = { ...contract, gates: this.#versions[version]!.contract.gates };
      const key = JSON.stringify(rules.gates);
      byRules.set(key, { contract: rules, dates: [...(byRules.get(key)?.dates ?? []), date] });
    }
    const report = await this.table.report(state.version);
    const stale = partitions.filter((partition) => this.#isStale(partition));
    const compared = this.oracle.compare({
      rules: byRules.size === 0 ? [{ contract, dates: [] }] : [...byRules.values()],
      manifest: partitions.flatMap((partition) => this.#manifestOf(partition)),
      lost,
      table: pinned(contract),
    });
    this.#newest!.superseded = compared.then(({ superseded }) => superseded);
    const judged = this.#judge(`version ${state.version}, of step ${this.#step},`, compared, (counts) => {
      const found = Object.fromEntries(partitions.map((partition) => [partition.date, partition.counts]));
      const told = difference('counts', withoutTies(found, lost), withoutTies(counts, lost));
      return report.kind === 'rollback'
        ? told
        : [...told, ...difference('stale', report.stale, stale.map(({ date }) => date).toSorted())];
    });
    // Awaited at the end; until then a rejection is not unhandled.
    judged.catch(() => {});
    this.#newest!.superseded.catch(() => {});
    this.#comparisons.push(judged);
    this.tally.compared += 1;
  }

  async #judge(
    what: string,
    compared: Promise<Comparison>,
    more: (counts: Expected['counts']) => string[],
  ): Promise<void> {
    const { differences, counts } = await compared;
    const told = [...differences, ...more(counts)];
    if (told.length > 0) throw new Error(`${what} is not one full run over its files:\n${told.join('\n')}`);
  }

  /**
   * In scope `table`, what was superseded in a partition that is gone cannot come back while its outcome stands
   * (SEMANTICS 3.4). Null: unknown, as the partition went while a run was under way.
   */
  async #lostRows({ partitions }: TableState, moved: boolean): Promise<readonly LostRow[] | null> {
    if (this.#contract.deduplicate.scope !== 'table' || this.#newest === null) return [];
    const gone = new Set<string>([...partitions.keys()].filter((date) => !this.#hasFiles(date)));
    if (gone.size === 0) return [];
    const superseded = moved ? null : await this.#newest.superseded;
    return superseded && superseded.filter(([date]) => gone.has(date));
  }

  #manifestOf({ date, files }: PartitionState): ManifestEntry[] {
    return files.map(({ path, mtimeNs }) => {
      const content = this.#contentAt.get(identity(path, mtimeNs!));
      if (content === undefined) throw new Error(`${path} was consumed, as of ${mtimeNs}, and never lay there`);
      return [date, path, content];
    });
  }

  /** SEMANTICS 1.3. */
  #expectAllConsumed(state: TableState): void {
    const kept = this.#contract.incremental.gone === 'keep';
    const partitions = [...state.partitions.values()].filter(({ date }) => !kept || this.#hasFiles(date));
    const consumed = partitions.flatMap(({ files }) => files.map((file) => `${file.path} ${file.mtimeNs}`));
    const listed = [...this.#zone.values()].map(({ path, seconds }) => `${path} ${seconds}000000000`);
    const told = difference('files consumed', consumed.toSorted(), listed.toSorted());
    if (told.length > 0) throw new Error(told.join('\n'));
  }

  /** What is restated that must be, then one incremental run that sees the raw zone as it stands. */
  async #settle(history: History): Promise<void> {
    if ((await this.#refusal(INCREMENTAL)) === 'RestateRequired') {
      // Rules changed, and nothing is left to restate from: the table stays as it is.
      if ((await this.#refusal({ do: 'backfill all' })) !== null) return;
      await this.#run({ do: 'backfill all' });
    }
    const { partitions } = await this.table.read();
    if ([...partitions.values()].some((one) => this.#isStale(one))) await this.#run({ do: 'backfill stale' });
    await this.#run({ ...INCREMENTAL, ...(this.#zone.size === 0 && { removeGone: 'all' }) });
    const settled = await this.table.read();
    if (settled.version === 0) return;
    // What is back is read as it stands.
    const newest = this.#newest!;
    this.#versions[settled.version] = {
      ...newest,
      lost: newest.lost && newest.lost.filter(([date]) => !this.#hasFiles(date)),
    };
    await this.#compare(settled);
    // Slow beside the rest, and tested on its own.
    if (history.steps.length % VERIFIED !== 0) return;
    const { faults } = await this.table.verify();
    if (faults.length > 0) throw new Error(`verify: ${JSON.stringify(faults)}`);
  }
}

/** The newest version, as a reader pins it that knows nothing of Tidegate: later ones do not move it. */
function pinned({ publish: { format, path } }: Contract): TablePlace {
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

const pathOf = (day: number, file: number): string => `date=${DAYS[day]}/${FILES[file]}`;
const identity = (path: string, mtimeNs: string): string => `${path} ${mtimeNs}`;

function survived<T>(fate: Fate, outcome: PromiseSettledResult<T>): outcome is PromiseFulfilledResult<T> {
  return !fate.dead && outcome.status === 'fulfilled';
}

/** A tie with a row that cannot be read is counted as it was, or not at all. */
function withoutTies(counts: Expected['counts'], lost: readonly LostRow[]): unknown {
  if (lost.length === 0) return counts;
  return Object.fromEntries(Object.entries(counts).map(([date, count]) => [date, { ...count, ambiguous: 0 }]));
}

function difference(what: string, found: unknown, expected: unknown): string[] {
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
