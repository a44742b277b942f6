import type { FileMetaData, SchemaElement, SchemaTree } from 'hyparquet' with { 'resolution-mode': 'import' };
import { TerminalError, VoidPlan, codeOf, messageOf } from '../errors';
import { type ObjectStore, changeOf } from '../storage';
import { safeText } from '../safe-text';
import type { SourceFile } from './manifest';
import { type FoundType, abortsPolars, typeOfColumn } from './parquet-types';

export interface FooterColumn {
  readonly name: string;
  readonly found: FoundType;
  /** Why no file with this column can be opened at all, or null. */
  readonly unopenable: string | null;
}

/** What the end of a Parquet file says of it. */
export interface Footer {
  readonly rows: number;
  /** Top-level columns, in stored order. */
  readonly columns: readonly FooterColumn[];
}

/** Read at once from the end of a file; a larger footer takes a second read. */
const TAIL_BYTES = 64 * 1024;
const MAGIC = 'PAR1';
const ENCRYPTED_MAGIC = 'PARE';
/** Length of the footer (4 bytes) and the magic. */
const TRAILER_BYTES = 8;
const SHORTEST_FILE = MAGIC.length + TRAILER_BYTES;

/**
 * Reads a file's footer: row count and schema, no data. The file must be as it was listed.
 * @throws TerminalError `UnreadableFile` when it is not Parquet, cut short, or may not be read.
 * @throws VoidPlan when it vanished or changed since it was listed.
 */
export async function readFooter(store: ObjectStore, file: SourceFile): Promise<Footer> {
  const tail = await readTail(store, file);
  // Whatever the bytes say counts only while the file is the one that was listed.
  const change = await changeOf(store, file);
  if (change !== null) throw new VoidPlan(change);
  try {
    return await parseFooter(tail, file);
  } catch (error) {
    const why = error instanceof NotParquet ? error.message : `its footer is damaged (${messageOf(error)})`;
    throw unreadable(store, file, why, error);
  }
}

/** Thrown when bytes are no Parquet footer, with what they are instead. */
class NotParquet extends Error {}

/** Statistics are not needed, and a damaged or unusual one must not fail the file. */
const UNPARSED = { stringFromBytes: () => '' };

/** The end of the file: at least the footer, where there is one. */
async function readTail(store: ObjectStore, file: SourceFile): Promise<Buffer> {
  const { path, size } = file;
  try {
    const tail = await store.readRange(path, Math.max(0, size - TAIL_BYTES), size);
    const needed = tail.length < SHORTEST_FILE ? 0 : footerBytes(tail) + TRAILER_BYTES;
    return needed > tail.length && needed <= size ? await store.readRange(path, size - needed, size) : tail;
  } catch (error) {
    const code = codeOf(error) ?? codeOf(error instanceof Error ? error.cause : undefined);
    if (code === 'ENOENT') throw new VoidPlan(`the source file ${safeText(path)} has vanished since it was listed`);
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
    throw unreadable(store, file, `this process may not read it (${code})`, error);
  }
}

async function parseFooter(tail: Buffer, { size }: SourceFile): Promise<Footer> {
  const { parquetMetadata, parquetSchema } = await import('hyparquet');
  assertWhole(tail, size);
  const metadata = parquetMetadata(tail, { geoparquet: false, parsers: UNPARSED });
  const rows = Number(metadata.num_rows);
  const inGroups = metadata.row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0);
  if (!Number.isSafeInteger(rows) || rows < 0 || rows !== inGroups) {
    throw new NotParquet(`its footer is damaged (${rows} rows in all, ${inGroups} in its row groups)`);
  }
  assertDataPresent(metadata, size - TRAILER_BYTES - footerBytes(tail));
  return { rows, columns: parquetSchema(metadata).children.map(columnOf) };
}

function assertWhole(tail: Buffer, size: number): void {
  if (size === 0) throw new NotParquet('it is empty (0 bytes)');
  if (size < SHORTEST_FILE) throw new NotParquet(`it has only ${size} bytes`);
  const magic = tail.toString('latin1', tail.length - MAGIC.length);
  if (magic === ENCRYPTED_MAGIC) throw new NotParquet('it is encrypted Parquet, which is not supported');
  if (magic !== MAGIC) {
    throw new NotParquet(
      'it does not end as a Parquet file does: it was cut short, is still being written, or is something else',
    );
  }
  const needed = footerBytes(tail) + TRAILER_BYTES;
  if (needed + MAGIC.length > size) throw new NotParquet(`its footer claims ${needed} bytes, of ${size} in the file`);
}

/** Length of the footer, as the file claims it. */
const footerBytes = (tail: Buffer): number => tail.readUInt32LE(tail.length - TRAILER_BYTES);

/** Every column chunk must lie between the leading magic and the footer. */
function assertDataPresent(metadata: FileMetaData, end: number): void {
  for (const { columns } of metadata.row_groups) {
    for (const { meta_data: chunk, file_path: elsewhere } of columns) {
      if (elsewhere) throw new NotParquet(`its data lies in another file (${elsewhere}), which is not supported`);
      if (chunk === undefined) throw new NotParquet('its columns are encrypted, which is not supported');
      const start = Number(chunk.dictionary_page_offset ?? chunk.data_page_offset);
      if (start < 0 || start + Number(chunk.total_compressed_size) > end) {
        throw new NotParquet(
          `its data is not all there: column ${chunk.path_in_schema.join('.')} ends behind the file's data`,
        );
      }
    }
  }
}

function columnOf(tree: SchemaTree): FooterColumn {
  return {
    name: tree.element.name,
    found: typeOfColumn(tree.element, tree.children.length > 0 || tree.element.num_children !== undefined),
    unopenable:
      leavesOf(tree)
        .map(abortsPolars)
        .find((why) => why !== null) ?? null,
  };
}

function leavesOf({ element, children }: SchemaTree): SchemaElement[] {
  return children.length === 0 ? [element] : children.flatMap(leavesOf);
}

function unreadable(store: ObjectStore, { path }: SourceFile, why: string, cause?: unknown): TerminalError {
  return new TerminalError(
    'UnreadableFile',
    `the source file ${safeText(path)} in ${store.root} is not Parquet that can be read: ${why}. ` +
      'Nothing was written. Replace the file, or move it out of the raw zone.',
    { cause },
  );
}
