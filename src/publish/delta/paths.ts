import type { OutputKind } from '../table';

/**
 * The path of a data file as a log names it: relative to the Delta table, a URI (PROTOCOL.md, "Add
 * File and Remove File"; RFC 2396), so every character but the unreserved ones, `=` and `/` is
 * percent-encoded as UTF-8.
 * @param path Relative to the table's root: `curated/date=2026-05-01/part-….parquet`.
 */
export function toLogPath(kind: OutputKind, path: string): string {
  return path
    .slice(kind.length + 1)
    .split('/')
    .map((segment) => encodeURIComponent(segment).replaceAll('%3D', '='))
    .join('/');
}

/**
 * Where a file that a log names lies, relative to the table's root; null when it is outside of it:
 * absolute paths and paths with dots are other writers', and never touched.
 */
export function fromLogPath(kind: OutputKind, path: string): string | null {
  if (/^[A-Za-z][A-Za-z0-9+.-]*:|^\//.test(path)) return null;
  try {
    const segments = path.split('/').map(decodeURIComponent);
    if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) return null;
    return `${kind}/${segments.join('/')}`;
  } catch {
    return null;
  }
}

/**
 * The text of a partition value (PROTOCOL.md, "Partition Value Serialization": an empty string for any
 * type is null; a date is `{year}-{month}-{day}`, which a PartitionDate is already).
 */
export const partitionValue = (values: Readonly<Record<string, string | null>> | undefined, column: string): string =>
  values?.[column] ?? '';
