import type { Contract } from '../../contract/contract';
import { codeOf, messageOf, TerminalError } from '../../errors';
import { parseReport, type Report } from '../../quality';
import { openStore, type ObjectStore } from '../../storage';
import { checkPipeline } from '../check-results';
import { chooseVersion, existingVersion } from '../choose-version';
import { forEachInFlight } from '../in-flight';
import type { OpenTableOptions } from '../open-table';
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
import { corrupt } from './actions';
import { openSettled } from './commit';
import { INDEXES, VERDICTS } from './layout';
import { claimRoot, isTable } from './marker';
import { publish, rollback, stateOf } from './publish';
import { findCommit } from './requests';
import { oldestKept } from './retained';
import { rollForward } from './roll-forward';
import { schemaString } from './schema';
import type { CommitRecord } from './state-document';
import { vacuum } from './vacuum';
import { verify } from './verify';
import { nothing, openView, readRecord, type Place, type View } from './view';

/**
 * Two Delta tables, `curated` and `quarantine`, and the books beside them: see commit.ts for the protocol,
 * layout.ts for the names.
 * @throws TerminalError `ContractError`, when made, for a contract whose columns Delta cannot hold.
 */
export class DeltaTable implements Table {
  readonly path: string;
  readonly layout = 'in place';
  readonly indexFolder = INDEXES;
  readonly #contract: Contract;
  readonly #place: Place;
  readonly #options: { readonly onWarning: (message: string) => void; readonly now: () => Date };

  constructor(
    contract: Contract,
    { onWarning = () => {}, now = () => new Date() }: OpenTableOptions = {},
    store: ObjectStore = openStore(contract.publish.path, { errorType: 'TargetError' }),
  ) {
    schemaString(contract, 'quarantine');
    this.path = contract.publish.path;
    this.#contract = contract;
    this.#place = { store, pipeline: contract.pipeline, column: contract.source.partitionColumn };
    this.#options = { onWarning, now };
  }

  outputPath({ kind, date, run, attempt, n }: OutputName): string {
    const name = `${this.#place.column}=${date}/part-${run}-${attempt}-${n}`;
    return kind === 'verdicts' ? `${VERDICTS}/${name}.rows` : `${kind}/${name}.parquet`;
  }

  async read(): Promise<TableState> {
    const { state } = await this.#open();
    return state === null ? { version: 0, commit: null, watermark: null, partitions: new Map() } : stateOf(state);
  }

  checkStore(): Promise<void> {
    return this.#place.store.checkPutIfAbsent();
  }

  claimFolder(): Promise<void> {
    return claimRoot(this.#place.store, this.#place.pipeline);
  }

  async find(requestId: string): Promise<Commit | null> {
    const { state } = await this.#open();
    return state === null ? null : findCommit(this.#place.store, state.document.commit, requestId);
  }

  async publish(input: PublishInput): Promise<Commit> {
    checkPipeline(input.plan, this.#place.pipeline, this.path);
    await this.claimFolder();
    return this.#tidied(await publish(this.#place, input, this.#options));
  }

  async rollback(input: RollbackInput): Promise<Commit> {
    await this.claimFolder();
    return this.#tidied(await rollback(this.#place, this.#contract, input, this.#options));
  }

  async history(limit = Number.POSITIVE_INFINITY): Promise<Commit[]> {
    const { state } = await this.#open();
    if (state === null) return [];
    const newest = state.document.commit;
    const commits: Commit[] = [newest];
    const older = Array.from({ length: Math.min(newest.version, limit) - 1 }, (_, index) => newest.version - 1 - index);
    await forEachInFlight(older.entries(), async ([index, version]) => {
      commits[index + 1] = (await this.#record(version)).commit;
    });
    return commits.slice(0, limit);
  }

  async report(version?: number): Promise<Report> {
    const { store } = this.#place;
    const { report } = await this.#existing(version);
    return parseReport((await store.read(report)).toString('utf8'), `${store.root}/${report}`);
  }

  async reportFile(version: number): Promise<string> {
    return `${this.path}/${(await this.#existing(version)).report}`;
  }

  async pathOf(choice: VersionChoice = {}): Promise<VersionPlace> {
    const { store } = this.#place;
    const record = await this.#existing(await chooseVersion(choice, () => this.history()));
    const { version } = record.commit;
    const oldest = await oldestKept(store);
    if (version < oldest) {
      const { versions, days } = this.#contract.publish.keep;
      throw new TerminalError(
        'RequestError',
        `the data of version ${version} was removed (publish.keep: ${versions} versions, ${days} days); the versions from ${oldest} on are there`,
      );
    }
    return {
      version,
      path: this.path,
      curated: `${this.path}/curated`,
      quarantine: `${this.path}/quarantine`,
      report: `${this.path}/${record.report}`,
      deltaVersions: { curated: record.deltaVersion, quarantine: record.quarantineVersion },
    };
  }

  async vacuum(options: { dryRun: boolean; olderThanHours: number; now?: Date }): Promise<VacuumReport> {
    const { dryRun, olderThanHours, now = this.#options.now() } = options;
    const { store, pipeline } = this.#place;
    if (!(await isTable(store, pipeline))) return { dryRun, versions: [], removed: [], bytes: 0 };
    const view = dryRun ? await this.#open() : await openSettled(this.#place);
    return vacuum(this.#place, view, { dryRun, olderThanHours, now, keep: this.#contract.publish.keep });
  }

  async verify({ version, ...options }: VerifyOptions = {}): Promise<VerifyReport> {
    // Retention never takes the newest version: what is missing there is a fault.
    const wanted = version === undefined ? undefined : (await this.pathOf({ version })).version;
    const record = await this.#existing(wanted);
    const verdict = await verify(this.#place, record, this.#contract, options);
    // Unless retention took it meanwhile.
    if (verdict.faults.length > 0 && version !== undefined) await this.pathOf({ version });
    return verdict;
  }

  /** The table, with what follows from its newest commit done; by a reader that may not write, left undone. */
  async #open(): Promise<View> {
    const { store, pipeline } = this.#place;
    if (!(await isTable(store, pipeline))) return nothing();
    const view = await openView(this.#place);
    if (view.state === null || view.settled) return view;
    try {
      await rollForward(this.#place, view.state);
    } catch (error) {
      if (error instanceof TerminalError && error.type === 'TargetError' && error.cause === undefined) throw error;
      if (!(error instanceof TerminalError) && !UNWRITABLE.has(codeOf(error) ?? '')) throw error;
      this.#options.onWarning(`the newest version of ${this.path} could not be completed: ${messageOf(error)}`);
    }
    return view;
  }

  async #existing(version: number | undefined): Promise<CommitRecord> {
    const { state } = await this.#open();
    const wanted = existingVersion(version, state?.document.commit.version ?? 0, this.path);
    const { commit, report, deltaVersion } = state!.document;
    if (wanted < commit.version) return this.#record(wanted);
    const found = await readRecord(this.#place.store, wanted);
    return found ?? { commit, state: state!.key, report, deltaVersion, quarantineVersion: null };
  }

  async #record(version: number): Promise<CommitRecord> {
    const record = await readRecord(this.#place.store, version);
    if (record !== null) return record;
    throw corrupt(`the record of version ${version} of ${this.path} is missing; it is kept for ever`);
  }

  /** Retention, now and then. Never fails the commit. */
  async #tidied(commit: Commit): Promise<Commit> {
    if (commit.version % RETENTION_EVERY !== 0) return commit;
    try {
      const sweep = commit.version % (commit.version > MANY ? SWEEP_EVERY : RETENTION_EVERY) === 0;
      const [now, { keep }] = [this.#options.now(), this.#contract.publish];
      const view = await openSettled(this.#place);
      await vacuum(this.#place, view, { dryRun: false, olderThanHours: ORPHAN_HOURS, now, keep, sweep });
    } catch (error) {
      this.#options.onWarning(
        `version ${commit.version} of ${this.path} is published; cleaning up after it failed: ${messageOf(error)}`,
      );
    }
    return commit;
  }
}

/** Commits between two removals of expired versions, and, in a table of many versions, between two listings of all. */
const RETENTION_EVERY = 20;
const MANY = 1_000;
const SWEEP_EVERY = 200;
/** Older than any run that may still be under way. */
const ORPHAN_HOURS = 7 * 24;
const UNWRITABLE: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT']);
