import { realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contract } from '../../contract/contract';
import { messageOf, TerminalError } from '../../errors';
import type { Report } from '../../quality';
import type { OpenTableOptions } from '../open-table';
import { checkPipeline } from '../check-results';
import { chooseVersion, existingVersion } from '../choose-version';
import type {
  Commit,
  OutputName,
  PublishInput,
  RollbackInput,
  Table,
  TableState,
  VacuumReport,
  VerifyOptions,
  VerifyReport,
  VersionChoice,
  VersionPlace,
} from '../table';
import { corrupt } from '../documents';
import { readCommit, readReport, readState } from './documents';
import { explain } from './io-error';
import { forEachInFlight } from '../in-flight';
import { INDEXES, OUTPUT_KINDS, REPORT_FILE, STAGING, versionFolder } from './layout';
import { claimFolder, isTable } from './marker';
import { removeOldRuns } from './old-runs';
import { publish } from './publish';
import { findRequest } from './request-index';
import { expiredVersions, isReadable, removeData } from './retention';
import { rollback } from './rollback';
import { settle, settleToRead } from './settle';
import { vacuum } from './vacuum';
import { verify } from './verify';

/** A table of plain Parquet on a local disk: see settle.ts for its protocol, layout.ts for its names. */
export class DirectoryTable implements Table {
  readonly path: string;
  readonly layout = 'staged';
  readonly indexFolder = INDEXES;
  readonly #partitionColumn: string;
  readonly #pipeline: string;
  readonly #keep: Contract['publish']['keep'];
  readonly #contract: Contract;
  readonly #options: Required<OpenTableOptions>;

  constructor(contract: Contract, { onWarning = () => {}, now = () => new Date() }: OpenTableOptions) {
    this.path = contract.publish.path;
    this.#partitionColumn = contract.source.partitionColumn;
    this.#pipeline = contract.pipeline;
    this.#keep = contract.publish.keep;
    this.#contract = contract;
    this.#options = { onWarning, now };
  }

  outputPath({ kind, date, run, attempt, n }: OutputName): string {
    return `${STAGING}/${run}/${attempt}/${kind}/${this.#partitionColumn}=${date}/part-${run}-${attempt}-${n}.${kind === 'verdicts' ? 'rows' : 'parquet'}`;
  }

  read(): Promise<TableState> {
    return this.#explained(async () => {
      for (let version = await this.#newest(); version > 0;) {
        const commit = await readCommit(this.path, version);
        const partitions = await readState(this.path, version);
        if (partitions !== null) return { version, commit, watermark: commit.watermark.after, partitions };
        // Retention took it, which it does to replaced versions only.
        const newer = await this.#newest();
        if (newer === version) throw corrupt(`${versionFolder(this.path, version)} is current and has no state.json`);
        version = newer;
      }
      return { version: 0, commit: null, watermark: null, partitions: new Map() };
    });
  }

  /** The format is of local disks alone. */
  checkStore(): Promise<void> {
    return Promise.resolve();
  }

  claimFolder(): Promise<void> {
    return this.#explained(() => claimFolder(this.path, this.#pipeline));
  }

  find(requestId: string): Promise<Commit | null> {
    return this.#explained(async () => findRequest(this.path, await this.#newest(), requestId));
  }

  publish(input: PublishInput): Promise<Commit> {
    return this.#explained(async () => {
      checkPipeline(input.plan, this.#pipeline, this.path);
      await claimFolder(this.path, this.#pipeline);
      const commit = await publish(this.path, input, this.#options.now);
      await this.#tidy(commit);
      return commit;
    });
  }

  history(limit = Number.POSITIVE_INFINITY): Promise<Commit[]> {
    return this.#explained(async () => {
      const newest = await this.#newest();
      const commits: Commit[] = [];
      const versions = Array.from({ length: Math.min(newest, limit) }, (_, index) => newest - index);
      await forEachInFlight(versions.entries(), async ([index, version]) => {
        commits[index] = await readCommit(this.path, version);
      });
      return commits;
    });
  }

  report(version?: number): Promise<Report> {
    return this.#explained(async () => readReport(this.path, await this.#existing(version)));
  }

  reportFile(version: number): Promise<string> {
    return Promise.resolve(join(versionFolder(this.path, version), REPORT_FILE));
  }

  rollback(input: RollbackInput): Promise<Commit> {
    return this.#explained(async () => {
      await claimFolder(this.path, this.#pipeline);
      const commit = await rollback(this.path, input, { now: this.#options.now, contract: this.#contract });
      await this.#tidy(commit);
      return commit;
    });
  }

  verify({ version, ...options }: VerifyOptions = {}): Promise<VerifyReport> {
    return this.#explained(async () => {
      // Retention never takes the newest version: what is missing there is a fault.
      const wanted = version === undefined ? await this.#existing(version) : await this.#readable(version);
      const verdict = await verify(this.path, wanted, this.#contract, options);
      // Unless retention took it meanwhile.
      if (verdict.faults.length > 0 && version !== undefined) await this.#readable(version);
      return verdict;
    });
  }

  pathOf(choice: VersionChoice = {}): Promise<VersionPlace> {
    return this.#explained(async () => {
      const wanted = await this.#readable(await chooseVersion(choice, () => this.history()));
      const path = await realpath(versionFolder(this.path, wanted));
      const [curated, quarantine] = OUTPUT_KINDS.map((kind) => join(path, kind)) as [string, string];
      return { version: wanted, path, curated, quarantine, report: join(path, REPORT_FILE) };
    });
  }

  vacuum(options: { dryRun: boolean; olderThanHours: number; now?: Date }): Promise<VacuumReport> {
    return this.#explained(async () => {
      const { dryRun, olderThanHours, now = this.#options.now() } = options;
      const known = await isTable(this.path, this.#pipeline);
      if (!known) return { dryRun, versions: [], removed: [], bytes: 0 };
      const newest = await settle(this.path);
      return vacuum(this.path, newest, { dryRun, olderThanHours, now, keep: this.#keep });
    });
  }

  /** The newest version a reader can have; 0 for a table without commits, and for no table yet. */
  async #newest(): Promise<number> {
    return (await isTable(this.path, this.#pipeline)) ? settleToRead(this.path) : 0;
  }

  /** @throws TerminalError `RequestError` when there is no such version, or its data was removed. */
  async #readable(version: number | undefined): Promise<number> {
    const wanted = await this.#existing(version);
    if (await isReadable(this.path, wanted)) return wanted;
    const newest = await this.#newest();
    let oldest = newest;
    while (oldest > 1 && (await isReadable(this.path, oldest - 1))) oldest--;
    throw new TerminalError(
      'RequestError',
      `the data of version ${wanted} was removed (publish.keep: ${this.#keep.versions} versions, ${this.#keep.days} days); versions ${oldest} to ${newest} are there`,
    );
  }

  /** @throws TerminalError `RequestError` when there is no such version. */
  async #existing(version: number | undefined): Promise<number> {
    return existingVersion(version, await this.#newest(), this.path);
  }

  /** After a commit, whoever made it: its staging, and versions and runs that retention no longer holds. Never fails it. */
  async #tidy(commit: Commit): Promise<void> {
    try {
      // Hard links: the version keeps the data. A publisher of this request that still builds there can no longer
      // claim: the number after its base is taken.
      await rm(join(this.path, STAGING, commit.run), { recursive: true, force: true });
      const newest = await settle(this.path);
      const expired = await expiredVersions(this.path, newest, this.#keep, this.#options.now());
      for (const version of expired) await removeData(this.path, version);
      await removeOldRuns(this.path, commit.run, this.#keep, this.#options.now());
    } catch (error) {
      this.#options.onWarning(
        `version ${commit.version} of ${this.path} is published; cleaning up after it failed and is done by the next run or \`tidegate vacuum\`: ${messageOf(explain(this.path, error))}`,
      );
    }
  }

  async #explained<Value>(work: () => Promise<Value>): Promise<Value> {
    try {
      return await work();
    } catch (error) {
      throw explain(this.path, error);
    }
  }
}
