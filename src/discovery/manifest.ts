import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { byPath } from './order';

/** One data file of a source partition, as listed, with its row count once its footer was read. */
export interface SourceFile {
  /** Relative to the source root, decoded, with `/` between segments. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Modification time in nanoseconds since the epoch, as decimal text (it exceeds 2^53). Local stores. */
  readonly mtimeNs?: string;
  /** Object stores. */
  readonly etag?: string;
}

/** A source file whose footer was read. */
export interface CountedFile extends SourceFile {
  readonly rows: number;
}

/**
 * The digest of a source partition's manifest: SHA-256, in hex, of the canonical JSON (RFC 8785) of
 * its files as `[path, size, etag or mtimeNs]` in the order of their paths. Row counts are no part of
 * it, so that a listing alone tells whether a partition changed.
 */
export function fingerprint(files: readonly SourceFile[]): string {
  const entries = files.toSorted(byPath).map(({ path, size, etag, mtimeNs }) => [path, size, etag ?? mtimeNs ?? null]);
  return createHash('sha256').update(canonicalize(entries)!).digest('hex');
}
