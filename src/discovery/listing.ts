import type { Contract } from '../contract/contract';
import { TerminalError } from '../errors';
import type { ObjectInfo, ObjectStore } from '../storage';
import { IgnoredEntries } from './ignored';
import type { SourceFile } from './manifest';
import { byDate, byPath } from './order';
import { type PartitionDate, parsePartitionDate } from './partition-date';
import type { IgnoredEntry } from './plan-types';

/** A source partition as the raw zone holds it. */
export interface ListedPartition {
  readonly date: PartitionDate;
  /** At least one; sorted by the UTF-8 bytes of their path. */
  readonly files: readonly SourceFile[];
}

export interface SourceListing {
  /** In date order. */
  readonly partitions: readonly ListedPartition[];
  readonly ignored: readonly IgnoredEntry[];
}

type Source = Pick<Contract, 'pipeline' | 'source'>;

/**
 * Lists the raw zone and tells data from everything else (SEMANTICS 2.1–2.3). Names and stat only; no
 * file is opened. A name is taken as it is: `date=2026%2D05%2D01` is not a date.
 *
 * @param options.mayBeEmpty whether an object store may hold nothing below the root.
 * @throws TerminalError `SourceError` when the root is missing or no folder, or when it holds something
 *   else and `source.unrecognized` is `fail`.
 */
export async function listSource(
  store: ObjectStore,
  contract: Source,
  options: { readonly signal?: AbortSignal; readonly mayBeEmpty?: boolean } = {},
): Promise<SourceListing> {
  await assertRoot(store, contract, options.mayBeEmpty ?? false);
  const prefix = `${contract.source.partitionColumn}=`;
  const byDay = new Map<string, { date: PartitionDate; files: SourceFile[] }>();
  const ignored = new IgnoredEntries();
  let seen = 0;
  for await (const object of store.list('')) {
    if (seen++ % 1024 === 0) options.signal?.throwIfAborted();
    const verdict = classify(object, prefix);
    if (typeof verdict !== 'string') ignored.add(object, verdict);
    else {
      let partition = byDay.get(verdict);
      if (partition === undefined) {
        const date = parsePartitionDate(verdict);
        if (date === null) {
          ignored.add(object, { reason: `not a date: a partition's folder is named ${prefix}YYYY-MM-DD` });
          continue;
        }
        byDay.set(verdict, (partition = { date, files: [] }));
      }
      partition.files.push(sourceFile(object));
    }
  }
  const partitions = [...byDay.values()].toSorted(byDate);
  for (const { files } of partitions) files.sort(byPath);
  if (contract.source.unrecognized === 'fail') ignored.assertNone(store.root);
  return { partitions, ignored: ignored.summary() };
}

async function assertRoot(store: ObjectStore, { pipeline }: Source, mayBeEmpty: boolean): Promise<void> {
  const root = await store.stat('');
  // A store has no empty folders: one whose last object was deleted looks like one that never was.
  if (root === null && store.kind === 's3') {
    if (mayBeEmpty) return;
    throw new TerminalError(
      'SourceError',
      `the raw zone ${store.root} of pipeline ${pipeline} holds nothing: the store has no object below it. ` +
        'Deliver the first file, or correct source.path in the contract.',
    );
  }
  if (root === null) {
    throw new TerminalError(
      'SourceError',
      `the raw zone ${store.root} of pipeline ${pipeline} does not exist. Create it, or correct source.path in the contract.`,
    );
  }
  if (root.special !== 'folder') {
    throw new TerminalError(
      'SourceError',
      `the raw zone ${store.root} of pipeline ${pipeline} is not a folder. Correct source.path in the contract.`,
    );
  }
}

/** Why an object is no data. */
export interface NotData {
  readonly reason: string;
  /** As in Hive and Spark; no reason to fail. */
  readonly hidden?: boolean;
  /** Hidden, and not worth a mention: `_SUCCESS`, `.part-0.parquet.crc`. */
  readonly housekeeping?: boolean;
}

/** The text after `<column>=` of the partition a data file lies in, or why the object is no data file. */
function classify({ key, special }: ObjectInfo, prefix: string): string | NotData {
  const segments = key.split('/');
  if (segments.some(isHidden)) {
    return segments[0] === '_delta_log'
      ? { reason: "a Delta table's log: files it has removed are read as data while they lie here", hidden: true }
      : { reason: HIDDEN, hidden: true, housekeeping: !isParquet(key) };
  }
  if (special !== undefined) return { reason: SPECIAL[special] };
  const top = segments[0]!;
  if (!top.startsWith(prefix)) {
    return segments.length === 1
      ? { reason: 'a file at the root: data lies in partition folders' }
      : { reason: `not a partition: a partition's folder is named ${prefix}YYYY-MM-DD` };
  }
  if (segments.length === 1) return { reason: 'a file where a partition folder was expected' };
  if (!isParquet(key)) return { reason: 'its name does not end in .parquet' };
  return top.slice(prefix.length);
}

const HIDDEN = 'hidden: its name, or that of a folder it is in, begins with _ or .';

const SPECIAL = {
  'symbolic link': 'a symbolic link: links inside the raw zone are not followed',
  folder: 'a folder where a file was expected',
  device: 'not a regular file',
  'undecodable name': 'its name is not UTF-8',
  'unusable name': 'its name has an empty, "." or ".." segment',
} as const;

const isParquet = (key: string): boolean => key.toLowerCase().endsWith('.parquet');
const isHidden = (segment: string): boolean => segment.startsWith('_') || segment.startsWith('.');

function sourceFile({ key, size, mtimeNs, etag }: ObjectInfo): SourceFile {
  return {
    path: key,
    size,
    ...(mtimeNs === undefined ? {} : { mtimeNs }),
    ...(etag === undefined ? {} : { etag }),
  };
}
