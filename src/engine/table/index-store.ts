import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TerminalError } from '../../errors';
import type { PartitionDate } from '../../discovery/partition-date';
import type { ObjectStore } from '../../storage';
import { writing } from '../write-error';
import { IndexFile } from './index-file';

export interface IndexPlaces {
  /** Of the table. */
  readonly store: ObjectStore;
  /** Key of the folder with the indexes. */
  readonly folder: string;
  /** A local folder where indexes of an object store are kept at hand. */
  readonly cache: string;
  /** Where new indexes go instead of the table, when nothing of it may change; null: to the table. */
  readonly overlay: string | null;
}

/** Bytes of the local cache at most, over all tables. */
const CACHE_BYTES = 8 * 1024 ** 3;

/** What names an index beside the identity of the hash. */
export interface Indexed {
  readonly date: PartitionDate;
  readonly fingerprint: string;
}

/** The key indexes of a table's partitions. They follow from the raw files, so any of them may be lost: it is made anew. */
export class IndexStore {
  readonly #places: IndexPlaces;
  readonly #identity: string;
  readonly #sections: number;

  constructor(places: IndexPlaces, identity: string, sections: number) {
    this.#places = places;
    this.#identity = identity;
    this.#sections = sections;
  }

  /** The index of a partition with this fingerprint, or null. */
  async open(indexed: Indexed): Promise<IndexFile | null> {
    const { store, folder, cache, overlay } = this.#places;
    const name = nameOf(indexed);
    if (overlay !== null) {
      const own = await this.#openAt(join(overlay, name));
      if (own !== null) return own;
    }
    if (store.kind === 'local') return this.#openAt(store.urlOf(`${folder}/${this.#identity}/${name}`));
    const path = join(cache, this.#identity, name);
    const cached = await this.#openAt(path);
    if (cached !== null) {
      // What was used last goes last.
      await utimes(path, new Date(), new Date()).catch(() => {});
      return cached;
    }
    const bytes = await this.#fetch(`${folder}/${this.#identity}/${name}`);
    if (bytes === null) return null;
    await this.#cache(path, bytes);
    return this.#openAt(path);
  }

  /** Keeps an index that was made. Whoever else makes it makes the same. */
  async save(indexed: Indexed, bytes: Buffer): Promise<IndexFile> {
    const { store, folder, cache, overlay } = this.#places;
    const name = nameOf(indexed);
    let path = overlay === null ? store.urlOf(`${folder}/${this.#identity}/${name}`) : join(overlay, name);
    if (overlay !== null) await place(path, bytes);
    else {
      await writing(path, () => store.write(`${folder}/${this.#identity}/${name}`, bytes));
      if (store.kind !== 'local') await this.#cache((path = join(cache, this.#identity, name)), bytes);
    }
    const index = await this.#openAt(path);
    if (index === null) throw new Error(`${path} cannot be read back as the index it was written as`);
    return index;
  }

  async #openAt(path: string): Promise<IndexFile | null> {
    return IndexFile.open(path, this.#identity, this.#sections);
  }

  async #fetch(key: string): Promise<Buffer | null> {
    const { store } = this.#places;
    if ((await store.stat(key)) === null) return null;
    return store.read(key);
  }

  async #cache(path: string, bytes: Buffer): Promise<void> {
    await place(path, bytes);
    await prune(this.#places.cache, path);
  }
}

/** Fingerprints come out of a table's state and become part of a path: they are held to their form. */
function nameOf({ date, fingerprint }: Indexed): string {
  if (!/^[0-9a-f]{64}$/.test(fingerprint)) {
    throw new TerminalError(
      'CorruptTable',
      `partition ${date} has a fingerprint that is none: ${JSON.stringify(fingerprint)}`,
    );
  }
  return `${date}-${fingerprint}.idx`;
}

async function place(path: string, bytes: Buffer): Promise<void> {
  const temporary = `${path}.${randomUUID()}`;
  await writing(path, async () => {
    await mkdir(join(path, '..'), { recursive: true });
    try {
      await writeFile(temporary, bytes, { flag: 'wx' });
      await rename(temporary, path);
    } finally {
      await rm(temporary, { force: true });
    }
  });
}

/** Removes what was not used for longest, until the cache is small enough. */
async function prune(cache: string, keep: string): Promise<void> {
  const files: { path: string; size: number; used: number }[] = [];
  for (const entry of await readdir(cache, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const info = await stat(path).catch(() => null);
    if (info !== null) files.push({ path, size: info.size, used: info.mtimeMs });
  }
  let held = files.reduce((sum, { size }) => sum + size, 0);
  for (const { path, size } of files.toSorted((a, b) => a.used - b.used)) {
    if (held <= CACHE_BYTES) return;
    if (path === keep) continue;
    await rm(path, { force: true });
    held -= size;
  }
}
