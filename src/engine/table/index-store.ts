import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TerminalError, codeOf } from '../../errors';
import type { PartitionDate } from '../../discovery/partition-date';
import type { ObjectStore } from '../../storage';
import { writing } from '../write-error';
import { IndexFile } from './index-file';

export interface IndexPlaces {
  /** Of the table. */
  readonly store: ObjectStore;
  /** Key of the folder with the indexes. */
  readonly folder: string;
  /** A local folder where indexes of an object store are kept at hand, in a folder of their own. */
  readonly cache: string;
  /** A local folder of this run's own, for indexes that the cache cannot take. */
  readonly scratch: string;
  /** Where new indexes go instead of the table, when nothing of it may change; null: to the table. */
  readonly overlay: string | null;
}

/** Of the cache, for nothing else. */
const CACHE = 'tidegate-index';
const CACHE_BYTES = 8 * 1024 ** 3;
/** What was asked for since is spared: runs of other tables may be reading it. */
const SPARED_MS = 24 * 3600 * 1000;

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
  readonly #cacheBytes: number;
  /** Folder of the cache. It names the table, too: files of two raw zones may have the same fingerprint. */
  readonly #inCache: string;
  /** Paths in the cache that this run asked for. */
  readonly #used = new Set<string>();

  /** @param cacheBytes Bytes of the local cache, over all tables, beyond which {@link tidy} makes it smaller; default 8 GiB. */
  constructor(places: IndexPlaces, identity: string, sections: number, cacheBytes: number = CACHE_BYTES) {
    this.#places = places;
    this.#identity = identity;
    this.#sections = sections;
    this.#cacheBytes = cacheBytes;
    const table = `${places.store.root}\n${identity}`;
    this.#inCache = createHash('sha256').update(table).digest('hex').slice(0, identity.length);
  }

  /** The index of a partition with this fingerprint, or null. */
  async open(indexed: Indexed): Promise<IndexFile | null> {
    const { store, folder, overlay } = this.#places;
    const name = nameOf(indexed);
    if (overlay !== null) {
      const own = await this.#openAt(join(overlay, name));
      if (own !== null) return own;
    }
    if (store.kind === 'local') return this.#openAt(store.urlOf(`${folder}/${this.#identity}/${name}`));
    const path = this.#cached(name);
    const cached = await this.#openAt(path);
    if (cached !== null) {
      // What was used last goes last.
      await utimes(path, new Date(), new Date()).catch(() => {});
      return cached;
    }
    const bytes = await this.#fetch(`${folder}/${this.#identity}/${name}`);
    return bytes === null ? null : this.#keep(name, bytes);
  }

  /** Keeps an index that was made. Whoever else makes it makes the same. */
  async save(indexed: Indexed, bytes: Buffer): Promise<IndexFile> {
    const { store, folder, overlay } = this.#places;
    const name = nameOf(indexed);
    if (overlay !== null) {
      await place(join(overlay, name), bytes);
      return this.#readBack(join(overlay, name));
    }
    const key = `${folder}/${this.#identity}/${name}`;
    await writing(store.urlOf(key), () => store.write(key, bytes));
    return store.kind === 'local' ? this.#readBack(store.urlOf(key)) : this.#keep(name, bytes);
  }

  /** Removes what was not used for longest from the cache, until it is small enough; never what this run uses, or another may. */
  async tidy(): Promise<void> {
    if (this.#used.size > 0) await prune(join(this.#places.cache, CACHE), this.#used, this.#cacheBytes);
  }

  #cached(name: string): string {
    const path = join(this.#places.cache, CACHE, this.#inCache, name);
    this.#used.add(path);
    return path;
  }

  /** Puts an index of an object store at hand: into the cache, or, where that cannot be written, beside the run's scratch files. */
  async #keep(name: string, bytes: Buffer): Promise<IndexFile> {
    const path = this.#cached(name);
    try {
      await place(path, bytes);
      const index = await this.#openAt(path);
      if (index !== null) return index;
    } catch {
      // The cache only spares a download.
    }
    const own = join(this.#places.scratch, name);
    await place(own, bytes);
    return this.#readBack(own);
  }

  async #readBack(path: string): Promise<IndexFile> {
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
    await mkdir(dirname(path), { recursive: true });
    try {
      const file = await open(temporary, 'wx');
      try {
        await file.writeFile(bytes);
        // A cut in power must not leave an index with a hole in it.
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } finally {
      await rm(temporary, { force: true });
    }
  });
}

/** Files of the one form that indexes have in the cache, finished or not: the folder may be shared. */
const IDENTITY = /^[0-9a-f]{16}$/;
const CACHED = /^\d{4}-\d{2}-\d{2}-[0-9a-f]{64}\.idx(?:\.[0-9a-f-]{36})?$/;

async function prune(cache: string, used: ReadonlySet<string>, most: number): Promise<void> {
  const files: { path: string; size: number; at: number }[] = [];
  for (const identity of await namesIn(cache)) {
    if (!IDENTITY.test(identity)) continue;
    for (const name of await namesIn(join(cache, identity))) {
      if (!CACHED.test(name)) continue;
      const path = join(cache, identity, name);
      const info = await stat(path).catch(() => null);
      if (info?.isFile()) files.push({ path, size: info.size, at: info.mtimeMs });
    }
  }
  let held = files.reduce((sum, { size }) => sum + size, 0);
  const spared = Date.now() - SPARED_MS;
  for (const { path, size, at } of files.toSorted((a, b) => a.at - b.at)) {
    if (held <= most || at > spared) return;
    if (used.has(path)) continue;
    await rm(path, { force: true });
    held -= size;
  }
}

/** Nothing of what is no folder, or is gone: somebody else may be making room, too. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) return [];
    throw error;
  }
}
