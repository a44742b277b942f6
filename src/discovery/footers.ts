import type { FileMetaData, SchemaElement, SchemaTree } from 'hyparquet' with { 'resolution-mode': 'import' };
import { TerminalError, VoidPlan, codeOf, messageOf } from '../errors';
import type { ObjectStore } from '../storage';
import { type SourceFile, changeOf } from './manifest';
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
  if (file.size < SHORTEST_FILE) {
    await assertUnchanged(store, file);
    throw unreadable(store, file, file.size === 0 ? 'it is empty (0 bytes)' : `it has only ${file.size} bytes`);
  }
  try {
    const tail = await readTail(store, file);
    const { parquetMetadata } = await import('hyparquet');
    return await footerOf(parquetMetadata(tail, { geoparquet: false, parsers: UNPARSED }), file, tail);
  } catch (error) {
    if (error instanceof VoidPlan) throw error;
    const code = codeOf(error) ?? codeOf(error instanceof Error ? error.cause : undefined);
    if (code === 'EACCES' || code === 'EPERM') {
      throw unreadable(store, file, `this process may not read it (${code})`, error);
    }
    if (code === 'ENOENT') throw new VoidPlan(`the source file ${file.path} has vanished since it was listed`);
    if (code !== undefined || error instanceof TerminalError) throw error;
    await assertUnchanged(store, file);
    throw unreadable(
      store,
      file,
      error instanceof NotParquet ? error.message : `its footer is damaged (${messageOf(error)})`,
      error,
    );
  }
}

/** Thrown when bytes are no Parquet footer, with what they are instead. */
class NotParquet extends Error {}

/** Statistics are not needed, and a damaged or unusual one must not fail the file. */
const UNPARSED = { stringFromBytes: () => '' };

/** The bytes from the start of the footer (or before) to the end of the file. */
async function readTail(store: ObjectStore, { path, size }: SourceFile): Promise<Uint8Array> {
  const tail = await store.readRange(path, Math.max(0, size - TAIL_BYTES), size);
  if (tail.length < Math.min(size, TAIL_BYTES)) {
    throw new VoidPlan(`the source file ${path} has become shorter since it was listed`);
  }
  const magic = tail.toString('latin1', tail.length - MAGIC.length);
  if (magic === ENCRYPTED_MAGIC) throw new NotParquet('it is encrypted Parquet, which is not supported');
  if (magic !== MAGIC) {
    throw new NotParquet(
      'it does not end as a Parquet file does: it was cut short, is still being written, or is something else',
    );
  }
  const needed = tail.readUInt32LE(tail.length - TRAILER_BYTES) + TRAILER_BYTES;
  if (needed + MAGIC.length > size) throw new NotParquet(`its footer claims ${needed} bytes, of ${size} in the file`);
  return needed <= tail.length ? tail : store.readRange(path, size - needed, size);
}

async function footerOf(metadata: FileMetaData, { size }: SourceFile, tail: Uint8Array): Promise<Footer> {
  const { parquetSchema } = await import('hyparquet');
  const rows = Number(metadata.num_rows);
  const inGroups = metadata.row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0);
  if (!Number.isSafeInteger(rows) || rows < 0 || rows !== inGroups) {
    throw new NotParquet(`its footer is damaged (${rows} rows in all, ${inGroups} in its row groups)`);
  }
  const footerBytes = new DataView(tail.buffer, tail.byteOffset, tail.byteLength).getUint32(
    tail.byteLength - TRAILER_BYTES,
    true,
  );
  assertDataPresent(metadata, size - TRAILER_BYTES - footerBytes);
  return { rows, columns: parquetSchema(metadata).children.map(columnOf) };
}

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

async function assertUnchanged(store: ObjectStore, file: SourceFile): Promise<void> {
  const change = await changeOf(store, file);
  if (change !== null) throw new VoidPlan(change);
}

function unreadable(store: ObjectStore, { path }: SourceFile, why: string, cause?: unknown): TerminalError {
  return new TerminalError(
    'UnreadableFile',
    `the source file ${path} in ${store.root} is not Parquet that can be read: ${why}. ` +
      'Nothing was written. Replace the file, or move it out of the raw zone.',
    { cause },
  );
}
