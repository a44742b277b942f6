import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { formatColumnType } from '../../contract/column-type';
import type { Column, Contract, UniqueGate } from '../../contract/contract';
import { hashOf } from '../hashes';
import { columnsOf } from '../names';
import { frameOf, numbersOf, pl } from '../polars';

/** Changes when what an index file holds, or how, does. */
const FORMAT = 2;
const IDENTITY_DIGITS = 16;

/** What each section of an index is over: the primary key, then every unique gate in contract order. */
export interface IndexedKeys {
  readonly primaryKey: readonly Column[];
  readonly gates: readonly { readonly gate: UniqueGate; readonly columns: readonly Column[] }[];
  /** Names the hash: indexes of another identity cannot be compared with these. */
  readonly identity: string;
}

export async function indexedKeys(contract: Contract): Promise<IndexedKeys> {
  const primaryKey = columnsOf(contract, contract.deduplicate.primaryKey);
  const gates = contract.gates
    .filter((gate) => gate.kind === 'unique')
    .map((gate) => ({ gate, columns: columnsOf(contract, gate.columns) }));
  const named = (columns: readonly Column[]): unknown =>
    columns.map(({ name, type }) => [name, formatColumnType(type)]);
  const identity = canonicalize({
    format: FORMAT,
    probe: await probe(),
    primaryKey: named(primaryKey),
    gates: gates.map(({ columns }) => named(columns)),
  })!;
  return {
    primaryKey,
    gates,
    identity: createHash('sha256').update(identity).digest('hex').slice(0, IDENTITY_DIGITS),
  };
}

/** Hashes of known values: Polars' hash differs between its versions, and between the types of a value. */
async function probe(): Promise<readonly number[]> {
  const whole: Column = { name: 'number', type: { kind: 'int64' } };
  const text: Column = { name: 'text', type: { kind: 'string' } };
  const real: Column = { name: 'real', type: { kind: 'float64' } };
  const day: Column = { name: 'day', type: { kind: 'date' } };
  const money: Column = { name: 'money', type: { kind: 'decimal', precision: 20, scale: 2 } };
  const flag: Column = { name: 'flag', type: { kind: 'boolean' } };
  const probed = await frameOf({ number: Float64Array.of(1, -7), real: Float64Array.of(0.5, -1e300) })
    .lazy()
    .withColumns(
      pl.col('real').cast(pl.Utf8).alias('text'),
      pl.col('number').cast(pl.Int32).cast(pl.Date).alias('day'),
      pl.col('number').cast(pl.Decimal(20, 2)).alias('money'),
      pl.col('number').gt(pl.lit(0)).alias('flag'),
    )
    .select(
      ...[[whole], [text], [real], [day], [money], [flag], [text, whole]].map((columns, i) =>
        hashOf(columns).alias(`h${i}`),
      ),
    )
    .collect();
  return probed.columns.flatMap((name) => [...numbersOf(probed, name)]);
}
