import type { Column, ColumnType, Contract } from '../../contract/contract';
import { TerminalError } from '../../errors';
import type { OutputKind } from '../table';

/** A field of a struct (PROTOCOL.md, "Schema Serialization Format"). */
interface Field {
  readonly name: string;
  readonly type: unknown;
  readonly nullable: true;
  readonly metadata: object;
}

const DELTA_TYPES: Partial<Record<ColumnType['kind'], string>> = {
  boolean: 'boolean',
  string: 'string',
  binary: 'binary',
  date: 'date',
  float32: 'float',
  float64: 'double',
  int8: 'byte',
  int16: 'short',
  int32: 'integer',
  int64: 'long',
};

/** A signed type that holds all of an unsigned one; sources widen to it (SEMANTICS 2.5). */
const SIGNED: Partial<Record<ColumnType['kind'], string>> = { uint8: 'int16', uint16: 'int32', uint32: 'int64' };

const field = (name: string, type: unknown): Field => ({ name, type, nullable: true, metadata: {} });

/**
 * The `schemaString` of one of the two tables: the declared columns in contract order, in quarantine
 * its reserved ones, then the partition column.
 * @throws TerminalError `ContractError`, which names every column for which Delta has no type that holds it as declared.
 */
export function schemaString(contract: Contract, kind: OutputKind): string {
  const reserved =
    kind === 'curated'
      ? []
      : [
          field('_violations', { type: 'array', elementType: 'string', containsNull: true }),
          field('_source_file', 'string'),
          field('_source_row', 'long'),
        ];
  const refusals = contract.columns.flatMap((column) => refusalOf(column) ?? []);
  if (refusals.length > 0) throw refused(refusals.join('; and '));
  const fields = [
    ...contract.columns.map(({ name, type }) => field(name, deltaType(type))),
    ...reserved,
    field(contract.source.partitionColumn, 'date'),
  ];
  // "All column names must be unique regardless of casing."
  const seen = new Map<string, string>();
  for (const { name } of fields) {
    const other = seen.get(name.toLowerCase());
    if (other !== undefined) {
      throw refused(`the columns "${other}" and "${name}" differ only in case, which Delta does not tell apart`);
    }
    seen.set(name.toLowerCase(), name);
  }
  return JSON.stringify({ type: 'struct', fields });
}

/** The columns of a `schemaString` (see {@link schemaString}) that are of a type which a contract can declare. */
export function columnsOf(schema: string): Column[] {
  const { fields } = JSON.parse(schema) as { fields: { name: string; type: unknown }[] };
  return fields.flatMap(({ name, type }): Column[] => {
    const known = typeof type === 'string' ? typeOf(type) : null;
    return known === null ? [] : [{ name, type: known }];
  });
}

function typeOf(text: string): ColumnType | null {
  const decimal = /^decimal\((\d+),\s*(\d+)\)$/.exec(text);
  if (decimal !== null) return { kind: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2]) };
  if (text === 'timestamp' || text === 'timestamp_ntz') {
    return { kind: 'timestamp', unit: 'us', zoned: text === 'timestamp' };
  }
  const kind = (Object.keys(DELTA_TYPES) as (keyof typeof DELTA_TYPES)[]).find((one) => DELTA_TYPES[one] === text);
  return kind === undefined || kind === 'decimal' || kind === 'timestamp' ? null : { kind };
}

/** The Delta type that holds exactly what a column of this type does; the data files' types must be the table's. */
function deltaType(type: ColumnType): string | undefined {
  if (type.kind === 'decimal') return `decimal(${type.precision},${type.scale})`;
  if (type.kind !== 'timestamp') return DELTA_TYPES[type.kind];
  if (type.unit !== 'us') return undefined;
  return type.zoned ? 'timestamp' : 'timestamp_ntz';
}

/** Why there is no Delta type for a column, and what to declare instead; null: there is one. */
function refusalOf({ name, type }: Column): string | null {
  if (deltaType(type) !== undefined) return null;
  if (type.kind === 'timestamp') {
    const remedy =
      type.unit === 'ms'
        ? `declare it as timestamp[us${type.zoned ? ', UTC' : ''}]: milliseconds widen to it without loss`
        : 'write the source in microseconds, or publish in the directory format';
    return `the column "${name}" is a timestamp in ${type.unit}; Delta has microseconds only; ${remedy}`;
  }
  const signed = SIGNED[type.kind];
  const remedy =
    signed === undefined
      ? 'write the source as int64 or decimal(20,0), or publish in the directory format'
      : `declare it as ${signed}, to which ${type.kind} widens without loss`;
  return `the column "${name}" is ${type.kind}; Delta has no unsigned integers; ${remedy}`;
}

const refused = (message: string): TerminalError =>
  new TerminalError('ContractError', `publish.format delta: ${message}.`);
