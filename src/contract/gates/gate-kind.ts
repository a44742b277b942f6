import type { z } from 'zod';
import type { ColumnType, Scope } from '../contract';
import type { Finding, KeyPath } from '../faults';
import { text } from '../strict';

export const GATE_NAME = /^[A-Za-z][A-Za-z0-9_]*$/;

/** The key every gate may have. */
export const gateName = text('a letter, then letters, digits and underscores', GATE_NAME)
  .optional()
  .describe('Name of the flag in reports and in `_violations`. Unique in a contract; `primaryKey` is reserved.');

/** The columns a gate names, each with the key under which it stands. */
export type NamedColumns = readonly { readonly column: string; readonly path: KeyPath }[];

/** What a gate can know while it is made: everything but the other gates. */
export interface GateContext {
  readonly name: string;
  /** The dedup scope; undefined when that is at fault itself. */
  readonly scope: Scope | undefined;
  /** Undefined when that is at fault itself. */
  readonly partitionColumn: string | undefined;
  /** Undefined when the column is unknown or its type is at fault, which is reported elsewhere. */
  typeOf(column: string): ColumnType | undefined;
  /** Reports a fault; `path` starts from the gate. */
  report(finding: Omit<Finding, 'at'>): void;
}

/**
 * One kind of gate, as far as the contract goes; the engine has its own file for the same kind.
 * A new kind is a file like the others here and a line in registry.ts.
 */
export interface GateKind<Kind extends string, Schema extends z.ZodObject, Gate extends { name: string; kind: Kind }> {
  readonly kind: Kind;
  /** The source form. */
  readonly schema: Schema;
  /** What becomes of nulls and other special values, for the reference. */
  readonly nulls: string;
  /** A line of YAML for the reference. */
  readonly example: string;
  columnsOf(source: z.output<Schema>): NamedColumns;
  /** The normalised gate. Faults are reported through the context, and the result is then not used. */
  make(source: z.output<Schema>, context: GateContext): Gate;
  /** What rows must satisfy, in a few words. */
  describe(gate: Gate): string;
}

/** Ties the three types of a kind together. */
export function gateKind<Kind extends string, Schema extends z.ZodObject, Gate extends { name: string; kind: Kind }>(
  definition: GateKind<Kind, Schema, Gate>,
): GateKind<Kind, Schema, Gate> {
  return definition;
}
