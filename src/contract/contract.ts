import type { PartitionDate } from '../discovery/partition-date';
import type { Gate } from './gates/registry';
import type { UniqueGate } from './gates/unique';

/**
 * The normalised contract: every default filled in, every path absolute, gates named. It is plain
 * JSON; a plan carries it, so that every activity and retry of a run works by the same rules.
 * Its source form (YAML, JSON, `definePipeline`) is in schema.ts.
 */
export interface Contract {
  readonly pipeline: string;
  readonly source: {
    /** Of the raw zone: an absolute path, or `s3://bucket/prefix` without a slash at the end. */
    readonly path: string;
    readonly partitionColumn: string;
    readonly extraColumns: 'fail' | 'drop';
    readonly unrecognized: 'warn' | 'fail';
  };
  /** Declared columns, in the order in which they are published. Never holds the partition column. */
  readonly columns: readonly Column[];
  readonly incremental: {
    readonly start: PartitionDate | null;
    /** Whole days. */
    readonly lookback: number;
    /** `changed`: of the window, what is new or changed. `always`: the whole window, whether changed or not. */
    readonly reprocess: 'changed' | 'always';
    /** New or changed partitions older than the window. In scope `table` always `process`; scope `window` never takes them. */
    readonly late: 'process' | 'hold' | 'ignore';
    /** Published partitions whose raw files are gone. In scope `table` never `hold`. */
    readonly gone: 'keep' | 'remove' | 'hold';
    readonly future: 'leave' | 'accept';
  };
  readonly deduplicate: {
    readonly primaryKey: readonly string[];
    readonly orderBy: readonly OrderColumn[];
    readonly scope: Scope;
  };
  /** In contract order; names are unique. */
  readonly gates: readonly Gate[];
  readonly publish: {
    /** Of the curated zone (the table): an absolute path, or `s3://bucket/prefix` without a slash at the end. */
    readonly path: string;
    readonly format: 'directory' | 'delta';
    readonly keep: { readonly versions: number; readonly days: number };
  };
  readonly engine: {
    /** Bytes that key resolution may hold at a time, however large the table is. In no digest: it changes no result. */
    readonly memory: number;
  };
  readonly schedule: ScheduleSpec | null;
  readonly notify: {
    readonly webhook: { /** Name of the environment variable that holds the URL. */ readonly urlFrom: string } | null;
  };
}

/** Over which partitions a primary key is resolved: the whole table, those of one run, or each by itself. */
export type Scope = 'table' | 'window' | 'partition';

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
}

/** A declared column type, parsed. Its text form is that of the contract: `timestamp[us, UTC]`, `decimal(12,2)`, … */
export type ColumnType =
  | { readonly kind: 'boolean' | 'string' | 'binary' | 'date' | 'float32' | 'float64' }
  | { readonly kind: 'int8' | 'int16' | 'int32' | 'int64' | 'uint8' | 'uint16' | 'uint32' | 'uint64' }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'timestamp'; readonly unit: 'ms' | 'us' | 'ns'; readonly zoned: boolean };

export interface OrderColumn {
  readonly column: string;
  readonly direction: 'desc' | 'asc';
}

/**
 * A value in a gate, in the normal form of its column's type: text for string, date (`2026-05-01`), timestamp
 * (ISO with all digits of the unit, `Z` at the end when zoned) and decimal (`-12.5`); a boolean; a number for all
 * others, except that a whole number beyond 2^53 - 1 is text.
 */
export type Literal = number | string | boolean;

export type { InRangeGate } from './gates/in-range';
export type { MatchesGate } from './gates/matches';
export type { NotNullGate } from './gates/not-null';
export type { OneOfGate } from './gates/one-of';
export type { Gate } from './gates/registry';
export type { UniqueGate } from './gates/unique';
/** Gates that look at one row alone. `unique` is the other kind: it needs resolution over a scope. */
export type RowGate = Exclude<Gate, UniqueGate>;

/** The reserved gate under which rows with a null in their primary key are quarantined. */
export const PRIMARY_KEY_GATE = 'primaryKey';

export interface ScheduleSpec {
  readonly cron?: string;
  /** A number and a unit, as the `ms` package reads it: `15m`. */
  readonly every?: string;
  readonly timezone: string;
  readonly overlap: 'skip' | 'bufferOne' | 'bufferAll' | 'cancelOther' | 'terminateOther' | 'allowAll';
  readonly catchupWindow: string;
  readonly jitter: string | null;
  readonly pauseOnFailure: boolean;
}
