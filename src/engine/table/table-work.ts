import type { Column, Contract } from '../../contract/contract';
import type { RebuiltPartition } from '../../discovery/plan-types';
import type { ResolveTableInput } from '../inputs';
import { releaseNativeMemory } from '../memory';
import { columnsOf } from '../names';
import type { ScopeWork, SourcePartition } from '../resolve-scope';
import { SUPERSEDED } from '../row-sets';
import { type Batch, batchRows, batchesOf } from '../slices';
import { changesOf } from '../source-files';
import { VoidPlan } from '../../errors';
import type { EngineHooks } from '../types';
import type { TableLimits } from './limits';
import type { Member } from './members';
import { rebuildPartition } from './rebuild';
import { type CommittedVerdicts, rowsOf } from './verdicts';

interface BatchOf {
  readonly partition: number;
  readonly batch: Batch;
}

const NONE = new Uint32Array(0);

/** The members as something to read from: raw files, or what was published of those whose raw files are gone. */
export class TableWork implements ScopeWork {
  readonly contract: Contract;
  readonly sourceRoot: string;
  readonly scratch: string;
  readonly limits: ScopeWork['limits'];
  readonly signal: AbortSignal | undefined;
  readonly report: (rows: number) => void;
  readonly #input: ResolveTableInput;
  readonly #members: readonly Member[];
  readonly #verdicts: CommittedVerdicts;
  readonly #sources: SourcePartition[];
  readonly #batches: (readonly BatchOf[] | undefined)[];
  /** Members whose files were looked at: those the table was computed from are there, or were rebuilt. */
  readonly #readable = new Set<number>();
  readonly #rebuilt = new Map<number, RebuiltPartition>();
  /** Members whose raw files are all gone, rebuilt or not. */
  readonly #gone = new Set<number>();

  constructor(
    input: ResolveTableInput,
    members: readonly Member[],
    verdicts: CommittedVerdicts,
    limits: TableLimits,
    scratch: string,
    hooks: EngineHooks,
  ) {
    this.contract = input.contract;
    this.sourceRoot = input.sourceRoot;
    this.scratch = scratch;
    this.limits = { ...limits, hashesInMemory: 0 };
    this.signal = hooks.signal;
    this.#input = input;
    this.#members = members;
    this.#verdicts = verdicts;
    this.#sources = members.map(({ source }) => source);
    this.#batches = [];
    const progress = { done: 0, total: input.partitions.reduce((sum, { rows }) => sum + rows, 0) };
    this.report = (rows) => {
      progress.done += rows;
      hooks.onProgress?.({ phase: 'resolving keys', ...progress });
    };
  }

  get partitions(): readonly SourcePartition[] {
    return this.#sources;
  }

  get batches(): readonly BatchOf[] {
    return this.#members.flatMap(({ index }) => this.batchesOf(index));
  }

  batchesOf(index: number): readonly BatchOf[] {
    const source = this.#sources[index]!;
    const size = this.limits.rowsAtATime ?? batchRows(this.contract, source);
    return (this.#batches[index] ??= batchesOf(source, size).map((batch) => ({ partition: index, batch })));
  }

  columns(names: readonly string[]): Column[] {
    return columnsOf(this.contract, names);
  }

  /** Rows that cannot be read any more: those superseded in a partition whose raw files are gone. */
  async unavailable(index: number): Promise<Uint32Array> {
    if (!this.#gone.has(index)) return NONE;
    return rowsOf(await this.#verdicts.of(this.#members[index]!.committed!), SUPERSEDED);
  }

  rebuilt(index: number): RebuiltPartition | null {
    return this.#rebuilt.get(index) ?? null;
  }

  /**
   * Makes sure that rows of these members can be read: that their files are those the table was computed
   * from; or, where all are gone, from what was published of them.
   * @throws VoidPlan when a file is another one than that.
   */
  async makeReadable(indexes: readonly number[]): Promise<void> {
    for (const index of indexes) {
      const { taken, committed, source } = this.#members[index]!;
      if (taken || this.#readable.has(index)) continue;
      this.signal?.throwIfAborted();
      const changes = await changesOf(this.sourceRoot, source.files);
      if (changes.vanished === source.files.length) {
        this.#gone.add(index);
        await this.#rebuild(index);
      } else if (changes.first !== null) {
        throw new VoidPlan(`partition ${committed!.date} is needed as it was published, and ${changes.first}`);
      }
      this.#readable.add(index);
    }
  }

  /** Whether all raw files of a member that the run does not take are gone. */
  async isGone(index: number): Promise<boolean> {
    const { taken, source } = this.#members[index]!;
    if (taken) return false;
    const { vanished } = await changesOf(this.sourceRoot, source.files);
    if (vanished === source.files.length) this.#gone.add(index);
    return this.#gone.has(index);
  }

  /** Once all is read: that it was read from the files the table was computed from. @throws VoidPlan. */
  async verifyRead(): Promise<void> {
    for (const index of this.#readable) {
      if (this.#rebuilt.has(index)) continue;
      const { first } = await changesOf(this.sourceRoot, this.#members[index]!.source.files);
      if (first !== null) throw new VoidPlan(`partition ${this.#members[index]!.source.date} was read, and ${first}`);
    }
  }

  async #rebuild(index: number): Promise<void> {
    const { committed } = this.#members[index]!;
    const lost = rowsOf(await this.#verdicts.of(committed!), SUPERSEDED);
    const rebuilt = await rebuildPartition(this.#input, committed!, lost);
    this.#rebuilt.set(index, rebuilt);
    const { files, root } = rebuilt;
    this.#sources[index] = { ...this.#sources[index]!, files, root };
    this.#batches[index] = undefined;
    await releaseNativeMemory({ rows: this.#sources[index].rows, columns: this.contract.columns.length, bytes: 0 });
  }
}
