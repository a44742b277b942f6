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
