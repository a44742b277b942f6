import type { Contract } from '../contract';
import { TerminalError } from '../errors';
import type { ObjectStore } from '../storage';
import { mapConcurrently } from './concurrency';
import { readFooter } from './footers';
import { type SourceListing, listSource } from './listing';
import type { SourceFile } from './manifest';
import type { PartitionDate } from './partition-date';
import { makePlan } from './plan';
import type { IgnoredEntry, Plan, PlanScope } from './plan-types';
import { type SchemaFault, assertNoFaults, checkSchema } from './schema-check';
import { type PlanState, type Selection, selectPartitions } from './selection';

export interface DiscoverProgress {
  readonly phase: 'listing' | 'reading footers';
  readonly done: number;
  readonly total: number;
}

interface Hooks {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: DiscoverProgress) => void;
}

export interface DiscoverInput extends Hooks {
  readonly contract: Contract;
  /** Over `contract.source.path`. */
  readonly store: ObjectStore;
  /** Of the contract. */
  readonly digests: { readonly resolution: string; readonly rows: string };
  readonly scope: PlanScope;
  /** The table as committed; a `TableState` is one. */
  readonly state: PlanState;
  /** In UTC. */
  readonly today: PartitionDate;
}

/**
 * Makes the plan of a run: lists the raw zone, selects partitions, reads the footers of their files
 * and holds them against the contract. Writes nothing.
 * @throws TerminalError `SourceError`, `RequestError`, `RestateRequired`, `UnreadableFile`, `SchemaMismatch`.
 * @throws VoidPlan when a file vanished or changed meanwhile: list again.
 */
export async function discover(input: DiscoverInput): Promise<Plan> {
  const { contract, store, onProgress } = input;
  onProgress?.({ phase: 'listing', done: 0, total: 1 });
  const listing = await listed(input);
  onProgress?.({ phase: 'listing', done: 1, total: 1 });
  const selection = selectPartitions({ ...input, listing });
  const files = selection.taken.flatMap((partition) => partition.files);
  const rows = new Map<string, number>();
  const faults = await eachFooter(store, contract, files, input, (file, count) => void rows.set(file.path, count));
  assertNoFaults(faults);
  return makePlan({ ...input, listing, selection, rowsOf: ({ path }) => rows.get(path)! });
}

/**
 * What a run started now would take, remove and leave, from names and stat alone: no file is opened.
 * @throws TerminalError `SourceError`, `RequestError`, `RestateRequired`.
 */
export async function survey(input: DiscoverInput): Promise<Selection> {
  return selectPartitions({ ...input, listing: await listed(input) });
}

/** The raw zone, which may be empty once partitions of it were published: they are gone, for a policy to decide about. */
async function listed({ store, contract, state, signal }: DiscoverInput): Promise<SourceListing> {
  return listSource(store, contract, {
    mayBeEmpty: state.partitions.size > 0,
    ...(signal === undefined ? {} : { signal }),
  });
}

/** What `tidegate check` says of a raw zone. */
export interface SourceCheck {
  readonly partitions: number;
  readonly files: number;
  readonly bytes: number;
  /** Null when there is no partition. */
  readonly first: PartitionDate | null;
  readonly last: PartitionDate | null;
  readonly ignored: readonly IgnoredEntry[];
  /** Of how many partitions and files the footers were read. */
  readonly checked: { readonly partitions: number; readonly files: number; readonly rows: number };
  readonly faults: readonly SchemaFault[];
  /** One message a file that is not readable Parquet. */
  readonly unreadable: readonly string[];
}

/** Partitions whose files `tidegate check` opens, unless asked for all. */
const CHECKED_PARTITIONS = 31;

/**
 * Holds the files of the newest partitions (31, or `'all'`) against the contract, and returns every
 * fault instead of throwing at the first.
 * @throws TerminalError `SourceError` as {@link listSource} does.
 */
export async function checkSource(
  contract: Contract,
  store: ObjectStore,
  options: Hooks & { readonly newest?: number | 'all' } = {},
): Promise<SourceCheck> {
  const { partitions, ignored } = await listSource(store, contract, options);
  const newest = options.newest ?? CHECKED_PARTITIONS;
  const opened = newest === 'all' ? partitions : partitions.slice(Math.max(0, partitions.length - newest));
  const files = opened.flatMap((partition) => partition.files);
  const all = partitions.flatMap((partition) => partition.files);
  const unreadable: string[] = [];
  let rows = 0;
  const faults = await eachFooter(
    store,
    contract,
    files,
    options,
    (_, count) => void (rows += count),
    (error) => {
      if (!(error instanceof TerminalError) || error.type !== 'UnreadableFile') throw error;
      unreadable.push(error.message);
    },
  );
  return {
    partitions: partitions.length,
    files: all.length,
    bytes: all.reduce((sum, file) => sum + file.size, 0),
    first: partitions[0]?.date ?? null,
    last: partitions.at(-1)?.date ?? null,
    ignored,
    checked: { partitions: opened.length, files: files.length, rows },
    faults,
    unreadable: unreadable.toSorted(),
  };
}

/** Reads the footers of `files`, tells the rows of each, and returns all faults in the order of the files. */
async function eachFooter(
  store: ObjectStore,
  contract: Contract,
  files: readonly SourceFile[],
  { signal, onProgress }: Hooks,
  onRows: (file: SourceFile, rows: number) => void,
  onError: (error: unknown) => void = rethrow,
): Promise<SchemaFault[]> {
  let done = 0;
  const total = files.length;
  const faults = await mapConcurrently(
    files,
    async (file) => {
      try {
        const footer = await readFooter(store, file);
        onRows(file, footer.rows);
        return checkSchema(contract, footer, file.path);
      } catch (error) {
        onError(error);
        return [];
      } finally {
        onProgress?.({ phase: 'reading footers', done: (done += 1), total });
      }
    },
    { signal },
  );
  return faults.flat();
}

function rethrow(error: unknown): never {
  throw error;
}
