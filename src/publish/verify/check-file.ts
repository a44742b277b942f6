import { inspector } from '../../engine';
import { messageOf } from '../../errors';
import type { OutputFile } from '../../engine/types';
import { type ObjectStore, sha256Of } from '../../storage';
import type { VerifyCheck } from '../table';
import { type RecordedFile, readRecorded } from './footer';
import { statisticsFault } from './statistics';

export interface FileInput {
  readonly store: Pick<ObjectStore, 'stat' | 'readRange' | 'urlOf' | 'scanOptions'>;
  readonly key: string;
  readonly file: OutputFile;
  /** The columns it must have, in order; null when that is not known. */
  readonly columns: readonly string[] | null;
  readonly quarantine: boolean;
  readonly signal?: AbortSignal;
}

export interface FileVerdict {
  readonly faults: readonly { readonly check: VerifyCheck; readonly message: string }[];
  /** Of a quarantine file that could be read: how many rows violate each gate. */
  readonly violations: ReadonlyMap<string, number> | null;
}

/** Whether a file is there, with the size and the bytes that were recorded; null when it is. */
export async function checkBytes({
  store,
  key,
  file,
  signal,
}: Pick<FileInput, 'store' | 'key' | 'file' | 'signal'>): Promise<FileVerdict['faults'][number] | null> {
  const found = await store.stat(key);
  if (found === null) return { check: 'file', message: 'is missing' };
  if (found.special !== undefined) return { check: 'file', message: `is a ${found.special}; expected a file` };
  if (found.size !== file.size) {
    return { check: 'file', message: `has ${found.size} bytes; expected ${file.size}` };
  }
  if (file.sha256 === undefined) return null;
  const sha256 = await sha256Of(store, key, file.size, { signal });
  return sha256 === file.sha256
    ? null
    : { check: 'digest', message: `has the SHA-256 ${sha256}; expected ${file.sha256}` };
}

/** Reads one data file whole and holds it against what the commit says of it. */
export async function checkFile(input: FileInput): Promise<FileVerdict> {
  const { store, key, file, quarantine, signal } = input;
  const fault = (check: VerifyCheck, message: string): FileVerdict => ({
    faults: [{ check, message }],
    violations: null,
  });
  const bytes = await checkBytes(input);
  if (bytes !== null) return { faults: [bytes], violations: null };
  let recorded: RecordedFile;
  try {
    recorded = await readRecorded(store, key, file.size);
  } catch (error) {
    signal?.throwIfAborted();
    return fault('rows', `is not Parquet that can be read: ${messageOf(error)}`);
  }
  const faults = [...rowFaults(recorded, file), ...schemaFaults(recorded, input.columns)];
  if (faults.length > 0) return { faults, violations: null };
  try {
    const values = await valueFaults(input, recorded);
    return { faults: values, violations: quarantine ? await violationsOf(input) : null };
  } catch (error) {
    signal?.throwIfAborted();
    return fault('rows', `its rows cannot be read: ${messageOf(error)}`);
  }
}

function rowFaults({ rows, groups }: RecordedFile, file: OutputFile): FileVerdict['faults'] {
  const inGroups = groups.reduce((sum, group) => sum + group.rows, 0);
  if (rows !== file.rows) return [{ check: 'rows', message: `has ${rows} rows by its footer; expected ${file.rows}` }];
  if (inGroups === rows) return [];
  return [{ check: 'rows', message: `has ${inGroups} rows in its row groups; its footer says ${rows}` }];
}

function schemaFaults({ columns }: RecordedFile, expected: FileInput['columns']): FileVerdict['faults'] {
  if (expected === null || columns.join('\n') === expected.join('\n')) return [];
  return [{ check: 'schema', message: `has the columns ${columns.join(', ')}; expected ${expected.join(', ')}` }];
}

/** Decodes every row group: statistics are held against the values, and values that cannot be decoded are found. */
async function valueFaults(
  { store, key, signal }: FileInput,
  { groups }: RecordedFile,
): Promise<FileVerdict['faults']> {
  const { inspectRows } = inspector();
  const source = { url: store.urlOf(key), scanOptions: await store.scanOptions() };
  const faults: FileVerdict['faults'][number][] = [];
  for (const [index, { offset, rows, columns }] of groups.entries()) {
    signal?.throwIfAborted();
    const found = await inspectRows(source, columns, { offset, rows });
    for (const [at, column] of columns.entries()) {
      const fault = statisticsFault(column, found[at]!, rows);
      if (fault !== null) faults.push({ check: 'statistics', message: `row group ${index}: ${fault}` });
    }
  }
  return faults;
}

async function violationsOf({ store, key }: FileInput): Promise<ReadonlyMap<string, number>> {
  return inspector().countViolations({ url: store.urlOf(key), scanOptions: await store.scanOptions() });
}
