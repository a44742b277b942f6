import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { PartitionState } from '../../publish/table';
import { openStore } from '../../storage';
import type { ResolveTableInput } from '../inputs';
import { releaseNativeMemory } from '../memory';
import { readerOf } from '../resolve-scope';
import { verifyFiles } from '../source-files';
import { buildIndex } from './build-index';
import { type IndexedKeys, indexedKeys } from './identity';
import type { IndexFile, Section } from './index-file';
import { type Indexed, IndexStore } from './index-store';
import type { TableHooks } from './hooks';
import { inLanes } from '../lanes';
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
/** Indexes made at once, the keys of one read while those of the other are sorted, and rows in each at most: it is held in memory. */
const MAKING = 2;
const MADE_TOGETHER = 2 ** 21;
/** Of a partition with fewer rows another thread would win less than it takes to tell it. */
const WORTH_A_THREAD = 2 ** 16;

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
    const missing = this.#members.filter(({ index }) => this.#now[index] === undefined);
    const make = async (member: Member, lane = 0): Promise<void> => {
      this.#now[member.index] = (lane > 0 ? await this.#madeElsewhere(member) : null) ?? (await this.#make(member));
    };
    await inLanes(
      missing.filter(({ source }) => source.rows <= MADE_TOGETHER),
      MAKING,
      make,
    );
    for (const member of missing.filter(({ source }) => source.rows > MADE_TOGETHER)) await make(member);
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

  async #make(member: Member): Promise<IndexFile> {
    const { index } = member;
    this.#work.signal?.throwIfAborted();
    const partial = (await this.#work.isGone(index)) ? partialOf(member.committed!) : null;
    if (partial !== null) {
      this.#partial.add(index);
      const kept = await this.#store.open(partial);
      if (kept !== null && kept.rows === member.source.rows) return kept;
    }
    await this.#work.makeReadable([index]);
    const batches = this.#work.batchesOf(index).map(({ batch }) => batch);
    const onRows = member.taken ? this.#work.report : (): void => {};
    const built = await buildIndex(readerOf(this.#work, index), batches, this.#keys, onRows);
    if (this.#work.rebuilt(index) === null) await verifyFiles(this.#input.sourceRoot, member.source.files);
    await releaseNativeMemory({ rows: member.source.rows, columns: 1 + this.#keys.gates.length, bytes: 0 });
    const made = await this.#store.save(partial ?? member.source, built.bytes);
    built.release();
    return made;
  }

  /** Made in another thread, so that two are sorted at once; null when it is to be made here. */
  async #madeElsewhere({ source, taken }: Member): Promise<IndexFile | null> {
    const { makeIndex } = this.#hooks;
    if (makeIndex === undefined || !taken || source.rows < WORTH_A_THREAD) return null;
    this.#work.signal?.throwIfAborted();
    const { contract, sourceRoot, tableRoot, indexes } = this.#input;
    const { rowsAtATime } = this.#work.limits;
    await makeIndex({ contract, sourceRoot, source, rowsAtATime, tableRoot, indexes, scratch: this.#scratch });
    const made = await this.#store.open(source);
    if (made !== null) this.#work.report(source.rows);
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
