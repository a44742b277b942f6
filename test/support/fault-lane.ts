import {
  cpSync,
  existsSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import pl from 'nodejs-polars';
import type { Contract } from '../../src/contract';
import { openTable } from '../../src/publish';
import { localStore } from '../../src/storage';
import type { RunSummary } from '../../src/workflows/messages';
import { Installation } from './installation';
import { type Transaction, contractYaml } from './transactions';
import type { WorkerProcess } from './worker-process';

export type Format = 'delta' | 'directory';

/** A fault at one storage operation of a process, counted from 1 from the moment it is armed. */
export interface Fault {
  readonly at: number;
  readonly when: 'before' | 'after';
  readonly action: 'throw' | 'kill';
}

export interface Outcome {
  readonly summary: RunSummary;
  /** How many of the faults happened. */
  readonly fired: number;
  /** What readers saw from the start to the end, each time it changed: the transaction ids. */
  readonly seen: readonly (readonly string[])[];
  readonly commitsOfRequest: number;
  readonly version: number;
  readonly faults: readonly unknown[];
  /** Data files, staged files and documents of runs that stand there after a vacuum and belong to no version. */
  readonly orphans: readonly string[];
  /** Where the table was put aside, vacuumed. */
  readonly table: string;
}

type Raw = Readonly<Record<string, readonly Transaction[]>>;

/**
 * One installation in which the same run is made again and again, from the same table, with another
 * fault each time: a real server, and one worker process that lives on until a fault kills it.
 */
export class FaultLane {
  readonly #control: string;
  readonly #trace: string;
  #worker: WorkerProcess | undefined;
  #cases = 0;

  private constructor(
    readonly installation: Installation,
    readonly contract: Contract,
  ) {
    this.#control = join(installation.folder, 'failpoints');
    this.#trace = join(installation.folder, 'trace');
  }

  /** Publishes `first`, and lands `then`, which every case's run publishes. */
  static async create(format: Format, first: Raw, then: Raw): Promise<FaultLane> {
    const it = await Installation.create();
    // Delta has microseconds only; milliseconds widen to it.
    const yaml = contractYaml({ scope: 'partition' })
      .replace('timestamp[ms]', 'timestamp[us]')
      .replace('format: directory', `format: ${format}`);
    writeFileSync(join(it.pipelines, 'transactions.yaml'), yaml);
    const lane = new FaultLane(it, await it.loadContract());
    try {
      await lane.#prepare(first, then);
      return lane;
    } catch (error) {
      await lane.dispose();
      throw error;
    }
  }

  async #prepare(first: Raw, then: Raw): Promise<void> {
    const it = this.installation;
    const landAll = (raw: Raw, name: string): void => {
      for (const [date, rows] of Object.entries(raw)) it.land(date, rows, name);
    };
    landAll(first, 'first.parquet');
    await this.#startWorker();
    await it.run();
    cpSync(it.curated, this.#base, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
    landAll(then, 'then.parquet');
  }

  get #base(): string {
    return join(this.installation.folder, 'base');
  }

  async #startWorker(): Promise<void> {
    this.#worker = await this.installation.worker({
      TIDEGATE_FAILPOINTS: `@${this.#control}`,
      TIDEGATE_STORE_TRACE: this.#trace,
    });
  }

  /** The storage operations of the run when nothing fails, in order. */
  async operations(): Promise<string[]> {
    rmSync(this.#trace, { force: true });
    await this.run([]);
    return readFileSync(this.#trace, 'utf8').trim().split('\n');
  }

  /** The run, from the table as it was, with these faults on its way. */
  async run(faults: readonly Fault[]): Promise<Outcome> {
    const { installation: it, contract } = this;
    const id = `case-${(this.#cases += 1)}`;
    rmSync(it.curated, { recursive: true, force: true });
    cpSync(this.#base, it.curated, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
    const markers = faults.map((_, index) => join(it.folder, `${id}.${index}`));
    this.#arm(
      id,
      faults.map(({ at, when, action }, index) => `store#${at}.${when}=${action}@${markers[index]}`),
    );
    const [summary, seen] = await this.#watch(await it.start('incrementalRun', { requestId: id }));
    this.#arm(`${id}.over`, []);

    const table = openTable({ ...contract, publish: { ...contract.publish, keep: { versions: 1, days: 0 } } });
    const history = await table.history();
    const { faults: broken } = await table.verify();
    // Past the hour for which a vacuum spares every run.
    await table.vacuum({ dryRun: false, olderThanHours: 0, now: new Date(Date.now() + 2 * 3_600_000) });
    const orphans = await orphansOf(contract, history[0]?.version ?? 0);
    const aside = join(it.folder, id);
    renameSync(it.curated, aside);
    return {
      summary,
      seen,
      fired: markers.filter((marker) => existsSync(marker)).length,
      commitsOfRequest: history.filter(({ requestId }) => requestId === id).length,
      version: history[0]?.version ?? 0,
      faults: broken,
      orphans,
      table: aside,
    };
  }

  /** A list unlike the one before, so that operations are counted anew; put there whole, as it is read at each operation. */
  #arm(id: string, rules: readonly string[]): void {
    writeFileSync(`${this.#control}.new`, [`${id}=stall:0`, ...rules].join(','));
    renameSync(`${this.#control}.new`, this.#control);
  }

  /** The run's outcome, with new workers for killed ones; and what a reader saw meanwhile. */
  async #watch(handle: { result(): Promise<RunSummary> }): Promise<[RunSummary, string[][]]> {
    const seen: string[][] = [];
    const look = (): void => {
      const ids = publishedNow(this.contract);
      if (JSON.stringify(ids) !== JSON.stringify(seen.at(-1))) seen.push(ids);
    };
    look();
    const eyes = setInterval(look, 100);
    try {
      const result = handle.result();
      for (;;) {
        const summary = await Promise.race([result, this.#worker!.exited.then(() => null)]);
        look();
        if (summary !== null) return [summary, seen];
        await this.#startWorker();
      }
    } finally {
      clearInterval(eyes);
    }
  }

  async dispose(): Promise<void> {
    await this.installation.dispose();
  }
}

const rowsOfFile = new Map<string, string[]>();

/** The transaction ids that a reader sees now, knowing nothing of Tidegate: from the files alone, each of which must be there. */
function publishedNow({ publish: { path, format } }: Contract): string[] {
  const files = format === 'delta' ? filesOfLog(join(path, 'curated')) : filesOfFolder(join(path, 'current'));
  return files
    .flatMap((file) => {
      if (!existsSync(file)) throw new Error(`${file} is published and does not exist`);
      const known = rowsOfFile.get(file) ?? pl.readParquet(file).getColumn('transaction_id').toArray().map(String);
      rowsOfFile.set(file, known);
      return known;
    })
    .toSorted();
}

/** PROTOCOL.md, "Action Reconciliation", for a log of commits alone. */
function filesOfLog(table: string): string[] {
  const files = new Set<string>();
  const log = join(table, '_delta_log');
  for (const name of readdirSync(log).toSorted()) {
    if (!/^\d{20}\.json$/.test(name)) continue;
    for (const line of readFileSync(join(log, name), 'utf8').trim().split('\n')) {
      const { add, remove } = JSON.parse(line) as { add?: { path: string }; remove?: { path: string } };
      if (remove) files.delete(remove.path);
      if (add) files.add(add.path);
    }
  }
  return [...files].map((path) => join(table, decodeURIComponent(path)));
}

function filesOfFolder(current: string): string[] {
  const root = join(realpathSync(current), 'curated');
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.parquet'))
    .map((name) => join(root, name));
}

async function orphansOf(contract: Contract, version: number): Promise<string[]> {
  const { path, format } = contract.publish;
  const { partitions } = await openTable(contract).read();
  const below = format === 'directory' ? `snapshots/${String(version).padStart(8, '0')}/` : '';
  const named = new Set(
    [...partitions.values()].flatMap((one) => [...one.curated, ...one.quarantine].map((file) => below + file.path)),
  );
  const orphans: string[] = [];
  for await (const { key } of localStore(path).list('')) {
    const data = key.endsWith('.parquet') && !named.delete(key);
    if (data || /^_staging\/|^_runs\/|(?:^|\/)\.tmp-/.test(key)) orphans.push(key);
  }
  return [...orphans, ...[...named].map((key) => `${key} is missing`)];
}
