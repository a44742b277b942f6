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
import { reasonsOf } from './reasons';
import { type Transaction, contractYaml } from './transactions';
import type { WorkerProcess } from './worker-process';

export type Format = 'delta' | 'directory';

/** A fault that happens once, at a failpoint of a process (src/failpoints.ts). */
export interface Fault {
  readonly point: string;
  readonly action: 'throw' | 'kill';
}

/** A fault at a storage operation, counted from 1 from the moment it is armed. */
export const atOperation = (at: number, when: 'before' | 'after', action: Fault['action']): Fault => ({
  point: `store#${at}.${when}`,
  action,
});

export interface Outcome {
  readonly summary: RunSummary;
  /** How many of the faults happened. */
  readonly fired: number;
  /** What readers saw from the start to the end, each time it changed: the transaction ids. */
  readonly seen: readonly (readonly string[])[];
  readonly commitsOfRequest: number;
  readonly version: number;
  readonly faults: readonly unknown[];
  /** What the run rewrote, and why, as its report has it. */
  readonly rewritten: readonly string[];
  /** What was decided in every partition: its counts, and the digests of its verdicts. */
  readonly decided: Readonly<Record<string, unknown>>;
  /** What stands below the table after a vacuum and belongs to no version; what a version names and is not there. */
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
    const yaml = contractYaml({ scope: 'table', policy: 'reprocess: changed' })
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

  /** The run when nothing fails, and its storage operations, in order. */
  async unharmed(): Promise<{ readonly outcome: Outcome; readonly operations: readonly string[] }> {
    rmSync(this.#trace, { force: true });
    const outcome = await this.run([]);
    return { outcome, operations: readFileSync(this.#trace, 'utf8').trim().split('\n') };
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
      faults.map(({ point, action }, index) => `${point}=${action}@${markers[index]}`),
    );
    const [summary, seen] = await this.#watch(await it.start('incrementalRun', { requestId: id }));
    this.#arm(`${id}.over`, []);

    const table = openTable({ ...contract, publish: { ...contract.publish, keep: { versions: 1, days: 0 } } });
    const history = await table.history();
    const { faults: broken } = await table.verify();
    const { version, partitions } = await table.read();
    const report = await table.report(version);
    // Past the hour for which a vacuum spares every run.
    await table.vacuum({ dryRun: false, olderThanHours: 0, now: new Date(Date.now() + 2 * 3_600_000) });
    const orphans = await orphansOf(contract);
    const aside = join(it.folder, id);
    renameSync(it.curated, aside);
    return {
      summary,
      seen,
      fired: markers.filter((marker) => existsSync(marker)).length,
      commitsOfRequest: history.filter(({ requestId }) => requestId === id).length,
      version,
      faults: broken,
      rewritten: reasonsOf(report),
      decided: Object.fromEntries(
        [...partitions.values()].map(({ date, counts, verdicts }) => [
          date,
          { counts, verdicts: verdicts.map(({ sha256 }) => sha256) },
        ]),
      ),
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

/** What stands below a table for ever, whatever its versions hold: its marks, its logs, and what is kept of every version. */
const BOOKS: Readonly<Record<Format, RegExp>> = {
  delta:
    /^(?:_tidegate\/(?:(?:tidegate|newest)\.json|(?:commits|kept)\/\d{8}\.json|requests\/[0-9a-f]{32}\.json)|(?:curated|quarantine)\/_delta_log\/\d{20}\.json)$/,
  directory: /^(?:tidegate\.json|current|requests\/[0-9a-f]{32}|snapshots\/\d{8}\/(?:commit|report)\.json)$/,
};
/** A key index below its folder: the identity of its hash, then what it is of. */
const INDEX = /^[0-9a-f]{16}\/(\d{4}-\d{2}-\d{2}-[0-9a-f]{64})\.idx$/;

/**
 * What stands below a vacuumed table of one version that is kept, and that this version does not name; and what it names
 * and is not there. Nothing is left out: a file of any other name is an orphan.
 */
async function orphansOf(contract: Contract): Promise<string[]> {
  const { path, format } = contract.publish;
  const table = openTable(contract);
  const { version, partitions } = await table.read();
  const all = [...partitions.values()];
  const below = format === 'directory' ? `snapshots/${padded(version)}/` : '';
  const data = all.flatMap((one) =>
    [...one.curated, ...one.quarantine, ...one.verdicts].map((file) => below + file.path),
  );
  const named = new Set([...data, ...(format === 'delta' ? documentsOfDelta(path, version) : [`${below}state.json`])]);
  // One index each: a second one, of another hash, would be an orphan too.
  const indexed = new Set<string>(all.map(({ date, fingerprint }) => `${date}-${fingerprint}`));
  const orphans: string[] = [];
  for await (const { key } of localStore(path).list('')) {
    const index = key.startsWith(`${table.indexFolder}/`) ? INDEX.exec(key.slice(table.indexFolder.length + 1)) : null;
    const belongs = BOOKS[format].test(key) || named.delete(key) || (index !== null && indexed.delete(index[1]!));
    if (!belongs) orphans.push(key);
  }
  return [...orphans, ...[...named, ...indexed].map((name) => `${name} is missing`)];
}

/** The report of every version, which is kept, and the state files from which the newest one is read. */
function documentsOfDelta(path: string, newest: number): string[] {
  const read = (key: string): unknown => JSON.parse(readFileSync(join(path, key), 'utf8'));
  const recordOf = (version: number) =>
    read(`_tidegate/commits/${padded(version)}.json`) as { readonly state: string; readonly report: string };
  const { state } = recordOf(newest);
  const { since } = read(state) as {
    readonly since: { readonly checkpoint: string | null; readonly states: readonly string[] };
  };
  const reports = Array.from({ length: newest }, (_, index) => recordOf(index + 1).report);
  return [...reports, state, ...since.states, ...(since.checkpoint === null ? [] : [since.checkpoint])];
}

const padded = (version: number): string => String(version).padStart(8, '0');
