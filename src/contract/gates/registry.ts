import { z } from 'zod';
import { inRange } from './in-range';
import { matches } from './matches';
import { notNull } from './not-null';
import { oneOf } from './one-of';
import { unique } from './unique';

/** Every kind of gate, in the order in which the reference lists them. */
export const gateKinds = [notNull, inRange, unique, oneOf, matches] as const;

type AnyKind = (typeof gateKinds)[number];

/** A normalised gate of any kind. */
export type Gate = ReturnType<AnyKind['make']>;

type SchemasOf<Kinds extends readonly AnyKind[]> = { -readonly [I in keyof Kinds]: Kinds[I]['schema'] };

/** The source form of any gate, told apart by `kind`. */
export const gateSchema = z.discriminatedUnion(
  'kind',
  gateKinds.map((kind) => kind.schema) as unknown as SchemasOf<typeof gateKinds>,
);
export type GateSource = z.output<typeof gateSchema>;

/** A kind by name, its parts typed for any gate: each kind is only ever given its own. */
export function kindOf(kind: Gate['kind']) {
  const found = gateKinds.find((candidate) => candidate.kind === kind);
  if (found === undefined) throw new TypeError(`no such kind of gate: ${kind}`);
  return found as unknown as {
    columnsOf(source: GateSource): ReturnType<AnyKind['columnsOf']>;
    make(source: GateSource, context: Parameters<AnyKind['make']>[1]): Gate;
    describe(gate: Gate): string;
  };
}

/** What a gate asks of a row, in a few words: `amount > 0`. */
export function describeGate(gate: Gate): string {
  return kindOf(gate.kind).describe(gate);
}
