/** What a listing says of one object. */
export interface ObjectInfo {
  /** Relative to the store's root, decoded, `/` between segments, never escaping the root. */
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** Local stores: modification time in nanoseconds since the epoch, as decimal text. */
  readonly mtimeNs?: string;
  /** Object stores. */
  readonly etag?: string;
  /** Object stores, in listings: when it was last written, as ISO 8601. Tells old from new, never changed from unchanged. */
  readonly modifiedAt?: string;
  /** Set when this is no regular file, or has a name that no key can be. Links are never followed; such an entry is not data. */
  readonly special?: 'symbolic link' | 'folder' | 'device' | 'undecodable name' | 'unusable name';
}

/** What Polars needs beside {@link ObjectStore.urlOf}, for scans and sinks. Holds credentials: never logged, never kept. */
export interface ScanOptions {
  readonly cloudOptions?: Record<string, string>;
}

/**
 * The storage operations Tidegate builds on, over one root. Keys are relative, decoded and use `/`;
 * a key that would leave the root is refused with a `SourceError` before anything is touched.
 * Polars reads and writes data files itself, at {@link ObjectStore.urlOf}.
 */
export interface ObjectStore {
  readonly kind: 'local' | 's3';
  /** For messages: the root as the user wrote it. */
  readonly root: string;
  /** Every object below `prefix` (a folder key, '' for all), in no promised order. A missing prefix lists nothing. */
  list(prefix: string): AsyncIterable<ObjectInfo>;
  /** One object, or null when it is not there. `''` is the root itself: a folder, where it is one. */
  stat(key: string): Promise<ObjectInfo | null>;
  read(key: string): Promise<Buffer>;
  /**
   * Bytes [start, end) of an object; fewer when it is shorter.
   * @param into memory that may be used for them.
   */
  readRange(key: string, start: number, end: number, into?: Buffer): Promise<Buffer>;
  /** Writes an object whole and durably; readers see all of it or nothing. Replaces. */
  write(key: string, data: string | Uint8Array): Promise<void>;
  /** Writes an object whole and durably unless the key is taken; false when it is. */
  putIfAbsent(key: string, data: string | Uint8Array): Promise<boolean>;
  /**
   * Has an object store show, once per process, that `putIfAbsent` means what it says; `putIfAbsent` does so itself.
   * To be asked before work is done whose result could not be committed. Nothing to show on a local disk.
   * @throws TerminalError when the store takes a second object under one name, or lets nothing be written.
   */
  checkPutIfAbsent(): Promise<void>;
  /** Deletes one object; fine when it is not there. */
  delete(key: string): Promise<void>;
  /** What Polars opens for this key: an absolute path here, a URL for object stores. */
  urlOf(key: string): string;
  /** Asked for before every scan or sink: temporary credentials run out. */
  scanOptions(): Promise<ScanOptions>;
}
