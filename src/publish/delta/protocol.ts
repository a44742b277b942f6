import type { Column } from '../../contract/contract';
import { TerminalError } from '../../errors';
import type { MetaData, Protocol } from './actions';

/**
 * PROTOCOL.md, "Table Features": those we implement, in reading as in writing. A feature that is supported
 * need not be active: `variantType`, which deltalake turns on with any property, binds only with a column of
 * that type, `appendOnly` and `invariants` only with a property or column metadata. {@link checkMetaData}
 * refuses these.
 */
const READER_FEATURES: ReadonlySet<string> = new Set(['timestampNtz', 'variantType']);
const WRITER_FEATURES: ReadonlySet<string> = new Set([...READER_FEATURES, 'appendOnly', 'invariants']);

/** The protocol of a new table: 3/7, with the features its columns need (PROTOCOL.md, "Protocol Evolution"). */
export function protocolFor(columns: readonly Column[]): Protocol {
  const naive = columns.some(({ type }) => type.kind === 'timestamp' && !type.zoned);
  const features = naive ? ['timestampNtz'] : [];
  return { minReaderVersion: 3, minWriterVersion: 7, readerFeatures: features, writerFeatures: features };
}

/** Writer version 2 stands for these, which must be named once there are names (PROTOCOL.md, "Supported Features"). */
const OF_WRITER_2: readonly string[] = ['appendOnly', 'invariants'];

/** What a table needs that others raised, once it needs more. A protocol never goes back (PROTOCOL.md, "Protocol Evolution"). */
export function mergeProtocols(held: Protocol, needed: Protocol): Protocol {
  const union = (...all: readonly (readonly string[] | undefined)[]) => [...new Set(all.flatMap((some) => some ?? []))];
  return {
    minReaderVersion: Math.max(held.minReaderVersion, needed.minReaderVersion),
    minWriterVersion: Math.max(held.minWriterVersion, needed.minWriterVersion),
    readerFeatures: union(held.readerFeatures, needed.readerFeatures),
    writerFeatures: union(held.writerFeatures, held.minWriterVersion === 2 ? OF_WRITER_2 : [], needed.writerFeatures),
  };
}

/**
 * Refuses a table that needs what this version does not implement (PROTOCOL.md, "Table Features":
 * readers and writers must not ignore table features when they are present).
 * @throws TerminalError `TargetError`.
 */
export function checkProtocol(protocol: Protocol, where: string): void {
  const { minReaderVersion, minWriterVersion, readerFeatures = [], writerFeatures = [] } = protocol;
  const unknown = [
    ...readerFeatures.filter((name) => !READER_FEATURES.has(name)),
    ...writerFeatures.filter((name) => !WRITER_FEATURES.has(name)),
  ];
  if (unknown.length > 0) {
    throw refused(
      `${where} has the table feature ${[...new Set(unknown)].join(', ')}, which Tidegate does not implement (it implements ${[...WRITER_FEATURES].join(', ')}). Another writer turned it on; restore the table to before that, or publish to a new path`,
    );
  }
  const readable = minReaderVersion === 1 || minReaderVersion === 3;
  const writable = minWriterVersion <= 2 || minWriterVersion === 7;
  if (readable && writable) return;
  throw refused(
    `${where} needs reader version ${minReaderVersion} and writer version ${minWriterVersion}; expected 3 and 7, as Tidegate made it`,
  );
}

/** Refuses a table that another writer replaced, or whose columns or properties it changed so that our files would not fit. */
export function checkMetaData(found: MetaData, own: MetaData, partitionColumn: string, where: string): void {
  const { schemaString } = own;
  if (found.id !== own.id) {
    throw refused(
      `another writer replaced ${where} by a table of its own: its id is ${found.id}; expected ${own.id}, as Tidegate made it. Restore the table to before that, or publish to a new path`,
    );
  }
  if (found.format !== undefined && found.format.provider !== 'parquet') {
    throw refused(`the files of ${where} are now of the format ${found.format.provider}; expected parquet`);
  }
  if (found.partitionColumns.length !== 1 || found.partitionColumns[0] !== partitionColumn) {
    throw refused(
      `${where} is now partitioned by ${found.partitionColumns.join(', ') || 'nothing'}; expected ${partitionColumn}`,
    );
  }
  if (!sameColumns(found.schemaString, schemaString)) {
    throw refused(
      `the columns of ${where} were changed by another writer: expected ${schemaString}, found ${found.schemaString}. Restore them, or publish to a new path`,
    );
  }
  const binding = ['delta.appendOnly', 'delta.columnMapping.mode', 'delta.enableChangeDataFeed'].filter(
    (name) => (found.configuration?.[name] ?? 'false') !== 'false' && found.configuration?.[name] !== 'none',
  );
  if (binding.length > 0) {
    throw refused(`${where} has the table property ${binding.join(', ')}, which Tidegate cannot honour; unset it`);
  }
}

/** Whether two schemas have the same columns, however they are written. */
export function sameColumns(a: string, b: string): boolean {
  const columns = (text: string): string => {
    const { fields } = JSON.parse(text) as { fields: { name: string; type: unknown; metadata?: object }[] };
    return JSON.stringify(fields.map(({ name, type, metadata = {} }) => [name, type, metadata]));
  };
  return columns(a) === columns(b);
}

const refused = (message: string): TerminalError => new TerminalError('TargetError', `${message}.`);
