import type { Column } from '../../contract/contract';

/** A value of a `stats` text; numbers keep their digits. */
type Value = string | boolean | { readonly digits: string };
interface Stats {
  readonly numRecords?: Value;
  readonly minValues?: Readonly<Record<string, Value>>;
  readonly maxValues?: Readonly<Record<string, Value>>;
  readonly nullCount?: Readonly<Record<string, Value>>;
}

/** Text whole first, so that digits in it are no numbers. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Null for what is no JSON object. */
function parseStats(text: string): Stats | null {
  const kept = text.replace(TOKEN, (token) => (token.startsWith('"') ? token : `{"digits":"${token}"}`));
  try {
    const value: unknown = JSON.parse(kept);
    return typeof value === 'object' && value !== null ? value : null;
  } catch {
    return null;
  }
}

const BOUNDS = [
  ['minValues', 'minimum'],
  ['maxValues', 'maximum'],
  ['nullCount', 'number of nulls'],
] as const;

/**
 * What the statistics of a file say in a log that is not what follows from its footer. Other writers may have put
 * them down in another form, or left some out, which only makes readers read more.
 * @param expected As {@link statsOf} gives them.
 */
export function statsFaults(found: string, expected: string, columns: readonly Column[]): string[] {
  if (found === expected) return [];
  const [said, truth] = [parseStats(found), parseStats(expected)!];
  if (said === null) return [`are no JSON object: ${found.slice(0, 60)}`];
  const faults: string[] = [];
  const { numRecords } = said;
  if (numRecords !== undefined && !same(numRecords, truth.numRecords, 'number')) {
    faults.push(`say ${show(numRecords)} rows; it has ${show(truth.numRecords)}`);
  }
  const kinds = new Map(columns.map(({ name, type }) => [name, type.kind]));
  for (const [field, what] of BOUNDS) {
    for (const [name, value] of Object.entries(said[field] ?? {})) {
      const kind = kinds.get(name);
      // Another writer's word on a column that is not the contract's, such as the partition's.
      if (kind === undefined || value === null) continue;
      const own = ownOf(truth[field], name);
      if (!same(value, own, field === 'nullCount' ? 'number' : kind)) {
        faults.push(`say of column ${name} the ${what} ${show(value)}; by its footer it is ${show(own)}`);
      }
    }
  }
  return faults;
}

const ownOf = (record: Readonly<Record<string, Value>> | undefined, name: string): Value | undefined =>
  record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;

function same(a: Value, b: Value | undefined, kind: string): boolean {
  if (b === undefined) return false;
  if (typeof a === 'object' && typeof b === 'object') return decimalOf(a.digits) === decimalOf(b.digits);
  if (kind === 'timestamp' && typeof a === 'string' && typeof b === 'string') return instantOf(a) === instantOf(b);
  return a === b;
}

/** A number in one way of writing it: `-12.5`. */
function decimalOf(digits: string): string {
  if (/[eE]/.test(digits)) return String(Number(digits));
  const [whole, fraction = ''] = digits.split('.');
  const rest = fraction.replace(/0+$/, '');
  const text = rest === '' ? whole! : `${whole}.${rest}`;
  return text === '-0' ? '0' : text;
}

const instantOf = (text: string): number => Date.parse(/Z|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`);

function show(value: Value | undefined): string {
  if (value === undefined) return 'not told';
  return typeof value === 'object' ? value.digits : JSON.stringify(value);
}
