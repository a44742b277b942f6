import { readColumnType } from './column-type';
import type { ColumnType } from './contract';
import { gateSchema, type GateSource } from './gates/registry';
import { pipelineSchema, type CompleteSource } from './schema';
import { valueAt } from './values';

/**
 * The parts of a source that are sound in themselves, so that the rules between parts can be checked although
 * other parts are at fault: every fault is to be reported at once.
 */
export interface SoundParts {
  readonly sourcePath?: string;
  readonly partitionColumn?: string;
  readonly publishPath?: string;
  readonly publishFormat?: CompleteSource['publish']['format'];
  readonly primaryKey?: CompleteSource['deduplicate']['primaryKey'];
  readonly orderBy?: CompleteSource['deduplicate']['orderBy'];
  readonly scope?: CompleteSource['deduplicate']['scope'];
  readonly late?: CompleteSource['incremental']['late'];
  readonly gone?: CompleteSource['incremental']['gone'];
  readonly schedule?: CompleteSource['schedule'];
  /** Declared columns by name; the type is undefined where it is at fault. Undefined when `columns` is no mapping. */
  readonly columns?: ReadonlyMap<string, ColumnType | undefined>;
  /** By their place in the contract; those at fault are left out. */
  readonly gates: readonly { readonly index: number; readonly source: GateSource }[];
}

/** What of `root` can be used. */
export function soundParts(root: unknown): SoundParts {
  const { source, deduplicate, publish, schedule } = pipelineSchema.shape;
  const incremental = pipelineSchema.shape.incremental.unwrap();
  const gates = valueAt(root, ['gates']);
  return {
    sourcePath: source.shape.path.safeParse(valueAt(root, ['source', 'path'])).data,
    partitionColumn: source.shape.partitionColumn.safeParse(valueAt(root, ['source', 'partitionColumn'])).data,
    publishPath: publish.shape.path.safeParse(valueAt(root, ['publish', 'path'])).data,
    publishFormat: publish.shape.format.safeParse(valueAt(root, ['publish', 'format'])).data,
    primaryKey: deduplicate.shape.primaryKey.safeParse(valueAt(root, ['deduplicate', 'primaryKey'])).data,
    orderBy: deduplicate.shape.orderBy.safeParse(valueAt(root, ['deduplicate', 'orderBy'])).data,
    scope: deduplicate.shape.scope.safeParse(valueAt(root, ['deduplicate', 'scope'])).data,
    late: incremental.shape.late.safeParse(valueAt(root, ['incremental', 'late'])).data,
    gone: incremental.shape.gone.safeParse(valueAt(root, ['incremental', 'gone'])).data,
    schedule: schedule.safeParse(valueAt(root, ['schedule'])).data,
    columns: soundColumns(valueAt(root, ['columns'])),
    gates: (Array.isArray(gates) ? gates : []).flatMap((gate, index) => {
      const parsed = gateSchema.safeParse(gate);
      return parsed.success ? [{ index, source: parsed.data }] : [];
    }),
  };
}

function soundColumns(columns: unknown): ReadonlyMap<string, ColumnType | undefined> | undefined {
  if (typeof columns !== 'object' || columns === null || Array.isArray(columns)) return undefined;
  return new Map(
    Object.entries(columns).map(([name, text]) => {
      const parsed = typeof text === 'string' ? readColumnType(text) : null;
      return [name, parsed?.ok ? parsed.type : undefined];
    }),
  );
}
