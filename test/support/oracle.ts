import { join } from 'node:path';
import type { Contract } from '../../src/contract/contract';
import type { Counts } from '../../src/quality/counts';
import { pythonFile } from './python';

/**
 * One value as text, exact: numbers, decimals, dates (days) and timestamps (units since 1970) as their
 * digits, binary as hex.
 */
export type Value = string | boolean | null | Value[];
/** The partition's date, then the declared columns; quarantined rows go on with violations, file, row. */
export type Row = readonly Value[];

export interface Expected {
  /** In order. */
  readonly curated: readonly Row[];
  readonly quarantine: readonly Row[];
  /** By date. */
  readonly counts: Readonly<Record<string, Counts>>;
}

interface OracleInput {
  readonly contract: Contract;
  /** Partitions taken; all under the source root when not given. */
  readonly dates?: readonly string[];
}

/** What one run over these partitions must publish, by an implementation of its own in Python. */
export async function oracle(input: OracleInput): Promise<Expected> {
  return (await oracles([input]))[0]!;
}

/** Many at once, in one call. */
export async function oracles(inputs: readonly OracleInput[]): Promise<Expected[]> {
  return tasks(inputs.map((input) => ({ op: 'oracle', ...input })));
}

export interface ReadTable {
  readonly rows: readonly Row[];
  /** Column names and Arrow types of every file. */
  readonly schemas: readonly (readonly [name: string, type: string][])[];
}

/** Reads every row under each folder of partitions (`…/curated`, `…/quarantine`) with PyArrow, in order. */
export async function readTables(
  folders: readonly { readonly folder: string; readonly partitionColumn: string }[],
): Promise<ReadTable[]> {
  return tasks(folders.map((folder) => ({ op: 'read', ...folder })));
}

/**
 * Compares a version's folder (it holds `curated/` and `quarantine/`) with what the oracle expects:
 * the rows exactly, whatever their order, and then their order.
 */
export async function expectTableEquals(folder: string, expected: Expected, partitionColumn = 'date'): Promise<void> {
  const [curated, quarantine] = await readTables(
    ['curated', 'quarantine'].map((kind) => ({ folder: join(folder, kind), partitionColumn })),
  );
  expectRowsEqual(curated!.rows, expected.curated);
  expectRowsEqual(quarantine!.rows, expected.quarantine);
}

/** The same rows, exactly, whatever their order; then the same order. */
export function expectRowsEqual(found: readonly Row[], expected: readonly Row[]): void {
  const asText = (rows: readonly Row[]): string[] => rows.map((row) => JSON.stringify(row));
  expect(asText(found).toSorted()).toEqual(asText(expected).toSorted());
  expect(asText(found)).toEqual(asText(expected));
}

/** A Parquet file to write: columns as [name, Arrow type or `dictionary`, values as text]. */
export interface FileToWrite {
  /** Absolute. */
  readonly path: string;
  readonly columns: readonly (readonly [name: string, type: string, values: readonly (Value | number)[]])[];
  /** Of `pyarrow.parquet.write_table`. */
  readonly options?: Readonly<Record<string, unknown>>;
}

/** Writes Parquet files with PyArrow, another writer than the one under test. */
export async function writeFiles(files: readonly FileToWrite[]): Promise<void> {
  await tasks([{ op: 'write', files }]);
}

async function tasks<T>(list: readonly unknown[]): Promise<T[]> {
  return pythonFile<T[]>('oracle.py', list);
}
