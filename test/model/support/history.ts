import { join } from 'node:path';
import type { Column, Contract, Gate } from '../../../src/contract/contract';
import type { PartitionDate } from '../../../src/discovery/partition-date';
import type { Doom } from '../../support/fs-faults';
import type { RunActivity, RunOptions } from '../../support/run-pipeline';
import type { Cell, RawFile } from './sql-oracle';

/**
 * What happened to a pipeline: plain JSON, so that a failure is a script that can be kept and replayed.
 * A step that does not apply (a file dropped that is not there) does nothing, so that any part of a script is one.
 */
export interface History {
  readonly format: 'directory' | 'delta';
  readonly rules: Rules;
  readonly steps: readonly Step[];
}

/** A contract of the family, in short. */
export interface Rules {
  readonly key: readonly ('id' | 'part')[];
  readonly orderBy: readonly { readonly column: 'updated' | 'seq'; readonly direction: 'asc' | 'desc' }[];
  readonly scope: 'partition' | 'table';
  readonly lookback: number;
  readonly reprocess: 'changed' | 'always';
  readonly gone: 'remove' | 'keep';
  /** Bytes for key resolution: so few that all goes by way of the disk, or plenty. */
  readonly memory: number;
  readonly gates: readonly GateName[];
}

export type Line = readonly [id: Cell, part: Cell, updated: Cell, seq: Cell, amount: Cell, receipt: Cell];

/** What is in a file. */
export interface Content {
  readonly lines: readonly Line[];
  /** Whether the file stores its partition's date too, or another. */
  readonly stored: 'none' | 'same' | 'other';
  readonly writer: RawFile['writer'];
}

export type RawStep =
  | { readonly do: 'put'; readonly day: number; readonly file: number; readonly content: Content }
  | { readonly do: 'drop'; readonly day: number; readonly file: number }
  | { readonly do: 'dropDay'; readonly day: number }
  /** Puts back what was once there, content and time: the nth of all that was put. */
  | { readonly do: 'restore'; readonly nth: number }
  | { readonly do: 'move'; readonly day: number; readonly file: number; readonly to: number };

export interface RunStep {
  readonly do: 'incremental' | 'backfill' | 'backfill stale' | 'backfill all' | 'rollback';
  /** Of a backfill: days. Of a rollback: how many versions back. */
  readonly from?: number;
  readonly to?: number;
  readonly crash?: {
    readonly activity: RunActivity;
    readonly doom: Doom;
    /** The activity is tried again, the run is, or nobody ever does. */
    readonly next: 'retry' | 'rerun' | 'abandon';
  };
  /** The raw zone changes, or another run comes first, before the run's first call of this activity. */
  readonly meanwhile?: { readonly before: RunActivity; readonly change: RawStep | RunStep };
  readonly groups?: RunOptions['groups'];
  /** Of an incremental run: what is gone leaves, even where the raw zone is empty. */
  readonly removeGone?: 'all';
}

export type Step =
  | RawStep
  | RunStep
  | { readonly do: 'contract'; readonly rules: Partial<Rules> }
  | { readonly do: 'vacuum' }
  /** Key indexes follow from the raw files: any may be lost. */
  | { readonly do: 'lose indexes' };

export const DAYS = ['2026-03-01', '2026-03-02', '2026-03-03', '2026-03-05', '2026-03-08'] as PartitionDate[];
/** In an order that is neither JavaScript's nor that of bytes; two sort differently in UTF-8 and UTF-16. */
export const FILES = ['b.parquet', 'a.parquet', '[é] *1.parquet', 'sub/c%20.PARQUET', '😀.parquet', '～.parquet'];

export const COLUMNS = ['id', 'part', 'updated', 'seq', 'amount', 'receipt'] as const;
const TYPES: readonly Column[] = COLUMNS.map((name) => ({
  name,
  type: { kind: name === 'receipt' ? 'string' : name === 'id' || name === 'seq' ? 'int64' : 'float64' },
}));

const ROW_GATES = {
  positive: { kind: 'inRange', column: 'amount', greaterThan: 0 },
  bounded: { kind: 'inRange', column: 'seq', atLeast: 1, lessThan: 2 },
  dated: { kind: 'notNull', column: 'updated' },
  received: { kind: 'notNull', column: 'receipt' },
  known: { kind: 'oneOf', column: 'part', values: [0] },
  "listed 'n named": { kind: 'oneOf', column: 'receipt', values: ['a', "b'c"] },
} as const;
const UNIQUE_GATES = {
  receipt: ['receipt'],
  pair: ['amount', 'receipt'],
  float: ['part'],
} as const;

export const ROW_GATE_NAMES = Object.keys(ROW_GATES) as (keyof typeof ROW_GATES)[];
/** A unique gate has the scope of the dedup, or that of a partition. */
export const UNIQUE_GATE_NAMES = (Object.keys(UNIQUE_GATES) as (keyof typeof UNIQUE_GATES)[]).flatMap(
  (name) => [name, `${name} by partition`] as const,
);
export type GateName = (typeof ROW_GATE_NAMES)[number] | (typeof UNIQUE_GATE_NAMES)[number];

export function contractOf(history: Pick<History, 'format' | 'rules'>, root: string): Contract {
  const { key, orderBy, scope, lookback, reprocess, gone, memory, gates } = history.rules;
  return {
    pipeline: 'model',
    source: { path: join(root, 'raw'), partitionColumn: 'date', extraColumns: 'drop', unrecognized: 'warn' },
    columns: TYPES,
    incremental: { start: null, lookback, reprocess, late: 'process', gone, future: 'leave' },
    deduplicate: { primaryKey: key, orderBy, scope },
    gates: gates.map((name): Gate => gateOf(name, scope)),
    publish: { path: join(root, 'table'), format: history.format, keep: { versions: 100, days: 7 } },
    engine: { memory },
    schedule: null,
    notify: { webhook: null },
  };
}

function gateOf(name: GateName, scope: Rules['scope']): Gate {
  if (Object.hasOwn(ROW_GATES, name)) return { name, ...ROW_GATES[name as keyof typeof ROW_GATES] };
  const [, unique, byPartition] = /^(\w+)( by partition)?$/.exec(name)!;
  const columns = UNIQUE_GATES[unique as keyof typeof UNIQUE_GATES];
  return { kind: 'unique', name, columns, scope: byPartition ? 'partition' : scope };
}

/** Whether two contracts resolve rows alike (SEMANTICS 8.2). */
export function sameResolution(a: Contract, b: Contract): boolean {
  const digest = ({ columns, deduplicate, gates }: Contract): string =>
    JSON.stringify([
      columns,
      deduplicate.primaryKey.toSorted(),
      deduplicate.orderBy,
      deduplicate.scope,
      gates.filter(({ kind }) => kind === 'unique').toSorted((x, y) => (x.name < y.name ? -1 : 1)),
    ]);
  return digest(a) === digest(b);
}

/** Whether two contracts reject rows alike (SEMANTICS 8.3); the order of gates counts, as violations are listed in it. */
export function sameRows(a: Contract, b: Contract): boolean {
  const digest = ({ gates }: Contract): string =>
    JSON.stringify(gates.map((gate) => (gate.kind === 'unique' ? gate.name : gate)));
  return digest(a) === digest(b);
}

/** Every content that a history puts anywhere, in the order of its steps. */
export function contentsOf(history: History): { readonly content: Content; readonly day: number }[] {
  return history.steps.flatMap((step) => {
    const change = 'meanwhile' in step && step.meanwhile ? step.meanwhile.change : step;
    return change.do === 'put' ? [{ content: change.content, day: change.day }] : [];
  });
}
