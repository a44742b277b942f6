import { type ColumnType, type Contract, formatColumnType } from '../contract';
import { TerminalError } from '../errors';
import { safeText } from '../safe-text';
import type { Footer, FooterColumn } from './footers';
import type { FoundType } from './parquet-types';

/** One way in which a file's columns are not those the contract declares. */
export interface SchemaFault {
  /** Relative to the source root. */
  readonly file: string;
  readonly column: string;
  readonly expected: string;
  readonly found: string;
  /** What to do. */
  readonly advice: string;
}

const LISTED = 20;
const RESERVED = ['_violations', '_source_'];

/** Every fault of one file, in the order of the contract's columns, then of the file's (SEMANTICS 2.5, 2.6). */
export function checkSchema(contract: Contract, { columns }: Footer, file: string): SchemaFault[] {
  const { extraColumns, partitionColumn } = contract.source;
  const declared = new Set(contract.columns.map(({ name }) => name));
  const inFile = new Map(columns.map((column) => [column.name, column]));
  const faults: SchemaFault[] = [];
  const fault = (column: string, expected: string, found: string, advice: string): void =>
    void faults.push({ file, column, expected, found, advice });

  for (const { name, type } of contract.columns) {
    const column = inFile.get(name);
    if (column === undefined) {
      const alike = columns.find(
        (other) => other.name.toLowerCase() === name.toLowerCase() && !declared.has(other.name),
      );
      fault(
        name,
        formatColumnType(type),
        alike === undefined ? 'no such column' : `no such column, but ${quote(alike.name)} (names are case-sensitive)`,
        alike === undefined
          ? 'rewrite the file with it, or take it out of the contract'
          : `rename it in the file, or declare it as ${quote(alike.name)}`,
      );
    } else if (!('type' in column.found) || !widens(column.found.type, type)) {
      fault(name, formatColumnType(type), foundText(column), adviceFor(type, column.found));
    }
  }

  for (const column of columns) {
    const { name, unopenable } = column;
    if (unopenable !== null) {
      fault(name, 'a file that Polars can open', unopenable, 'rewrite the file without it: dropping it is not enough');
    } else if (name === partitionColumn) {
      if (!('type' in column.found)) {
        fault(
          name,
          'the partition date, as a date or text',
          foundText(column),
          'rewrite it so, or leave it out of the file',
        );
      }
    } else if (RESERVED.some((prefix) => name.startsWith(prefix))) {
      fault(
        name,
        'no column of this name',
        foundText(column),
        'rename it: quarantined rows carry columns of such names',
      );
    } else if (!declared.has(name) && extraColumns === 'fail') {
      fault(name, 'no such column', foundText(column), 'declare it, or set source.extraColumns: drop');
    }
  }
  for (const name of repeated(columns)) {
    fault(name, 'one column of this name', 'two or more', 'rewrite the file with distinct column names');
  }
  return faults;
}

/** @throws TerminalError `SchemaMismatch` that lists the first 20 faults, when there are any. */
export function assertNoFaults(faults: readonly SchemaFault[]): void {
  if (faults.length === 0) return;
  const files = new Set(faults.map(({ file }) => file)).size;
  throw new TerminalError(
    'SchemaMismatch',
    `${files === 1 ? 'a source file does' : `${files} source files do`} not have the columns the contract declares:\n` +
      `${describeFaults(faults)}\nNothing was written.`,
  );
}

/** The first 20 faults, a line each, and how many more there are. */
export function describeFaults(faults: readonly SchemaFault[]): string {
  const lines = faults
    .slice(0, LISTED)
    .map(
      ({ file, column, expected, found, advice }) =>
        `  ${safeText(file)}: column ${quote(column)}: expected ${expected}, found ${found}; ${advice}`,
    );
  if (faults.length > LISTED) lines.push(`  and ${faults.length - LISTED} more`);
  return lines.join('\n');
}

const INTEGER = /^(u?)int(\d+)$/;

/** Whether every value of type `found` is one of type `declared`, by the rules of SEMANTICS 2.5. */
export function widens(found: ColumnType, declared: ColumnType): boolean {
  if (found.kind === 'decimal' || declared.kind === 'decimal') {
    return (
      found.kind === 'decimal' &&
      declared.kind === 'decimal' &&
      declared.scale >= found.scale &&
      declared.precision - declared.scale >= found.precision - found.scale
    );
  }
  if (found.kind === 'timestamp' || declared.kind === 'timestamp') {
    return (
      found.kind === 'timestamp' &&
      declared.kind === 'timestamp' &&
      found.zoned === declared.zoned &&
      FINENESS[declared.unit] >= FINENESS[found.unit]
    );
  }
  if (found.kind === declared.kind) return true;
  if (declared.kind === 'float64') return ['float32', 'int8', 'int16', 'int32'].includes(found.kind);
  const from = INTEGER.exec(found.kind);
  const to = INTEGER.exec(declared.kind);
  if (from === null || to === null) return false;
  const wider = Number(to[2]) > Number(from[2]);
  return wider && (from[1] === to[1] || (from[1] === 'u' && to[1] === ''));
}

const FINENESS = { ms: 0, us: 1, ns: 2 } as const;

function adviceFor(declared: ColumnType, found: FoundType): string {
  if (!('type' in found)) return found.hint ?? 'rewrite the file with the declared type';
  if (declared.kind === 'timestamp' && found.type.kind === 'timestamp' && declared.zoned !== found.type.zoned) {
    return 'a time without a zone and one in UTC are never mixed: rewrite the file, or declare the other';
  }
  return `rewrite the file, or declare ${formatColumnType(found.type)} if all files have it`;
}

function foundText({ found }: FooterColumn): string {
  return 'type' in found ? formatColumnType(found.type) : found.unsupported;
}

function repeated(columns: readonly FooterColumn[]): string[] {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { name } of columns) (seen.has(name) ? twice : seen).add(name);
  return [...twice];
}

const quote = (name: string): string => JSON.stringify(name);
