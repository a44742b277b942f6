import { createHash } from 'node:crypto';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/*
 * What lies in the folder of a table in the directory format, by names and digests alone: a reader that shares
 * nothing with the table's own.
 */

/** By path: the digest of a file, the target of a link, '' for a folder without anything, whose path ends in a slash. */
export type Entries = ReadonlyMap<string, string>;

export async function entriesOf(root: string, below = ''): Promise<Entries> {
  const found = new Map<string, string>();
  for (const entry of await readdir(join(root, below), { withFileTypes: true })) {
    const path = below + entry.name;
    if (entry.isDirectory()) {
      const inner = await entriesOf(root, `${path}/`);
      if (inner.size === 0) found.set(`${path}/`, '');
      for (const [name, content] of inner) found.set(name, content);
    } else if (entry.isSymbolicLink()) found.set(path, await readlink(join(root, path)));
    else found.set(path, digestOf(await readFile(join(root, path))));
  }
  return found;
}

const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** What of a version readers read: each goes and comes as one. */
const PART = /^snapshots\/(\d{8})\/(state\.json|curated|quarantine|verdicts)(?:\/(.*))?$/;

/** By version and name: all that is in a part, as text. */
export type Parts = Readonly<Record<number, Readonly<Record<string, string>>>>;

export function partsOf(entries: Entries): Parts {
  const parts: Record<number, Record<string, string>> = {};
  for (const path of [...entries.keys()].toSorted()) {
    const [, version, part, inner = ''] = PART.exec(path) ?? [];
    if (version === undefined || part === undefined) continue;
    const own = (parts[Number(version)] ??= {});
    own[part] = `${own[part] ?? ''}${inner} ${entries.get(path)}\n`;
  }
  return parts;
}

/** The version that `current` shows; 0: none. */
export function shownIn(entries: Entries): number {
  const target = entries.get('current');
  return target === undefined ? 0 : Number(/^snapshots\/(\d{8})$/.exec(target)![1]);
}
