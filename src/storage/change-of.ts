import { safeText } from '../safe-text';
import type { ObjectInfo, ObjectStore } from './object-store';

/** A file as a listing told of it. */
export interface ListedFile extends Pick<ObjectInfo, 'size' | 'mtimeNs' | 'etag'> {
  readonly path: string;
}

/** What happened to a source file since it was listed, in words, or null. */
export async function changeOf(store: ObjectStore, file: ListedFile): Promise<string | null> {
  return changeBetween(file, await store.stat(file.path));
}

/** The same, of what is there now. */
export function changeBetween(file: ListedFile, now: ObjectInfo | null): string | null {
  const name = `the source file ${safeText(file.path)}`;
  if (now === null) return `${name} has vanished since it was listed`;
  if (now.special !== undefined) return `${name} has become a ${now.special}`;
  if (now.size !== file.size) {
    return `${name} has changed since it was listed: ${file.size} bytes then, ${now.size} now`;
  }
  const [then, found] = [versionOf(file), versionOf(now)];
  return then === found ? null : `${name} was written again since it was listed (${then} then, ${found} now)`;
}

const versionOf = ({ etag, mtimeNs }: Pick<ObjectInfo, 'mtimeNs' | 'etag'>): string =>
  etag === undefined ? `modified at ${mtimeNs} ns` : `ETag ${etag}`;
