import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { PartitionState } from '../../publish/table';
import { openStore } from '../../storage';
import type { ResolveTableInput } from '../inputs';
import { releaseNativeMemory } from '../memory';
import { readerOf } from '../resolve-scope';
import { buildIndex } from './build-index';
import { type IndexedKeys, indexedKeys } from './identity';
import type { IndexFile, Section } from './index-file';
import { type Indexed, IndexStore } from './index-store';
import type { TableHooks } from './hooks';
import { inLanes } from '../lanes';
import { makeIndexes } from './make-indexes';
import type { Member } from './members';
import type { Part, Touched } from './search';
import type { TableWork } from './table-work';

/**
 * What names the index of a partition whose raw files are gone, and their index with them: it is made from what was
 * published of it, and lacks the rows that lost.
 */
function partialOf({ date, curated, quarantine }: PartitionState): Indexed {
  const files = [curated, quarantine].map((some) => some.map(({ path }) => path));
  return { date, fingerprint: createHash('sha256').update(JSON.stringify(files)).digest('hex') };
}

const NO_KEYS = new Float64Array(0);
/** Index files opened at once. */
const LANES = 16;
/** Rows of a partition at most whose index is made beside another one, in two threads: it is held in memory. */
const MADE_TOGETHER = 2 ** 21;
/** Of fewer rows another thread would win less than it takes to tell it. */
const WORTH_A_THREAD = 2 ** 17;

/** What a resolution is about: see `Session`. */
interface IndexedBy {
  readonly input: ResolveTableInput;
  readonly work: TableWork;
  readonly members: readonly Member[];
  readonly hooks: TableHooks;
}

/** The key indexes of all members, and those of what the run takes or removes as they were committed. */
export class TableIndexes {
  readonly #input: ResolveTableInput;
  readonly #hooks: TableHooks;
  readonly #work: TableWork;
  readonly #members: readonly Member[];
  readonly #now: IndexFile[] = [];
  readonly #before: IndexFile[] = [];
  /** Members whose index had to be made from what was published of them. */
  readonly #partial = new Set<number>();
  #store!: IndexStore;
  #keys!: IndexedKeys;
  #touched: 'some' | 'all' = 'some';

  constructor({ input, work, members, hooks }: IndexedBy) {
    this.#input = input;
    this.#hooks = hooks;
    this.#work = work;
    this.#members = members;
  }

  get keys(): IndexedKeys {
    return this.#keys;
  }

  /** `all` when it cannot be told what the run touches, because an index of what it replaces is lost. */
  get touched(): 'some' | 'all' {
    return this.#touched;
  }

  /** Opens all indexes, and makes those that are missing. */
  async prepare(): Promise<void> {
    const { contract, tableRoot, indexes } = this.#input;
    this.#keys = await indexedKeys(contract);
    const store = openStore(tableRoot, { errorType: 'TargetError' });
    const sections = 1 + this.#keys.gates.length;
    this.#store = new IndexStore({ store, ...indexes, scratch: this.#scratch }, this.#keys.identity, sections);
    await inLanes(this.#members, LANES, async (member) => {
      const index = await this.#store.open(member.source);
      if (index !== null && index.rows === member.source.rows) this.#now[member.index] = index;
    });
    const gone: Member[] = [];
    const missing: Member[] = [];
    for (const member of this.#members.filter(({ index }) => this.#now[index] === undefined)) {
      if (await this.#work.isGone(member.index)) gone.push(member);
      else missing.push(member);
    }
    await this.#work.makeReadable(missing.map(({ index }) => index));
    await this.#makeAll(
      missing.filter(({ source }) => source.rows <= MADE_TOGETHER),
      this.#hooks.makeIndexes,
    );
    await this.#makeAll(missing.filter(({ source }) => source.rows > MADE_TOGETHER));
    for (const member of gone) this.#now[member.index] = await this.#makeFromPublished(member);
    if (this.#members.some(({ taken }) => !taken)) await this.#openReplaced();
  }

  get #scratch(): string {
    return join(this.#work.scratch, 'indexes');
  }

  /** Whether the index of a member lacks the rows of it that are lost. */
  isPartial(index: number): boolean {
    return this.#partial.has(index);
  }

  /** Makes room in the local cache. Best effort: nothing of this run is lost with it. */
  async tidy(): Promise<void> {
    await this.#store.tidy().catch(() => {});
  }

  section(index: number, section: number): Section {
    return this.#now[index]!.sections[section]!;
  }

  /** One section of every member. */
  parts(section: number, whole: (member: Member) => boolean): Part[] {
    return this.#members.map((member) => ({
      partition: member.index,
      section: this.section(member.index, section),
      whole: whole(member),
    }));
  }

  /** The hashes that this run may touch: all of what it takes, replaces or removes, and `keys`. */
  touchedBy(section: number, keys: Float64Array = NO_KEYS): Touched {
    const taken = this.#members.filter((member) => member.taken).map(({ index }) => this.section(index, section));
    return { sections: [...taken, ...this.#before.map(({ sections }) => sections[section]!)], keys };
  }

  /** Makes the indexes of members whose raw files are there, here and, where that is worth it, elsewhere too. */
  async #makeAll(members: readonly Member[], elsewhere?: TableHooks['makeIndexes']): Promise<void> {
    if (members.length === 0) return;
    const { contract, sourceRoot, tableRoot, indexes } = this.#input;
    const { rowsAtATime } = this.#work.limits;
    const sources = members.map(({ source }) => source);
    const begun = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const input = { contract, sourceRoot, sources, begun, rowsAtATime, tableRoot, indexes, scratch: this.#scratch };
    const rows = sources.reduce((sum, source) => sum + source.rows, 0);
    const made = await Promise.allSettled([
      makeIndexes(input, this.#hooks, (i, index) => this.#made(members[i]!, index)),
      sources.length > 1 && rows >= WORTH_A_THREAD ? elsewhere?.(input) : undefined,
    ]);
    for (const result of made) if (result.status === 'rejected') throw result.reason;
    for (const member of members) {
      if (this.#now[member.index] !== undefined) continue;
      const index = await this.#store.open(member.source);
      if (index === null) throw new Error(`the key index of partition ${member.source.date} was made and is not there`);
      this.#made(member, index);
    }
  }

  #made({ index, taken, source }: Member, file: IndexFile): void {
    this.#now[index] = file;
    if (taken) this.#work.report(source.rows);
  }

  /** That of a member whose raw files are gone: from what was published of it, if that was not done before. */
  async #makeFromPublished({ index, source, committed }: Member): Promise<IndexFile> {
    this.#work.signal?.throwIfAborted();
    const partial = partialOf(committed!);
    this.#partial.add(index);
    const kept = await this.#store.open(partial);
    if (kept !== null && kept.rows === source.rows) return kept;
    await this.#work.makeReadable([index]);
    const batches = this.#work.batchesOf(index).map(({ batch }) => batch);
    const built = await buildIndex(readerOf(this.#work, index), batches, this.#keys);
    await releaseNativeMemory({ rows: source.rows, columns: 1 + this.#keys.gates.length, bytes: 0 });
    const made = await this.#store.save(partial, built.bytes);
    built.release();
    return made;
  }

  /** The indexes of what was committed of the partitions that the run takes or removes. */
  async #openReplaced(): Promise<void> {
    const { partitions, removed, committed } = this.#input;
    const now = new Map(partitions.map(({ date, fingerprint }) => [date, fingerprint]));
    const replaced = [...partitions.map(({ date }) => date), ...removed]
      .map((date) => committed.partitions.get(date))
      .filter((state) => state !== undefined)
      .filter(({ date, fingerprint }) => now.get(date) !== fingerprint);
    await inLanes(replaced, LANES, async (state) => {
      const index = await this.#store.open(state);
      if (index === null) this.#touched = 'all';
      else this.#before.push(index);
    });
  }
}
