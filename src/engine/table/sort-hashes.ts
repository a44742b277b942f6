import { HASH_BITS, NO_HASH } from '../duplicates';
import { keyName } from '../settle';
import { frameOf, numbersOf, pl } from '../polars';
import type { HashedRows } from './index-file';

const ROWS = 'rows';
/** More at once would hold up the event loop for longer than a tenth of a second. */
const SORTED_HERE = 2 ** 21;
/** Steps an element takes on average before these are taken for no hashes at all. */
const PATIENCE = 16;

/** The rows that have a hash, by hash. Hashes are spread evenly, so that dealing them out nearly sorts them. */
export async function sortHashes(hashes: Float64Array): Promise<HashedRows> {
  return (hashes.length <= SORTED_HERE ? dealt(hashes) : null) ?? sorted(hashes);
}

/** Null when the hashes are not spread as hashes are. */
function dealt(hashes: Float64Array): HashedRows | null {
  const bits = Math.max(1, Math.ceil(Math.log2(Math.max(2, hashes.length))) - 1);
  const scale = 2 ** (bits - HASH_BITS);
  const ends = new Uint32Array(2 ** bits + 1);
  for (let row = 0; row < hashes.length; row++) {
    const hash = hashes[row]!;
    if (hash !== NO_HASH) ends[((hash * scale) | 0) + 1]!++;
  }
  for (let bucket = 1; bucket < ends.length; bucket++) ends[bucket]! += ends[bucket - 1]!;
  const count = ends.at(-1)!;
  const found = { hashes: new Float64Array(count), rows: new Uint32Array(count) };
  for (let row = 0; row < hashes.length; row++) {
    const hash = hashes[row]!;
    if (hash === NO_HASH) continue;
    const at = ends[(hash * scale) | 0]!++;
    found.hashes[at] = hash;
    found.rows[at] = row;
  }
  return settle(found.hashes, found.rows) ? found : null;
}

/** Sorts by insertion what is nearly sorted; false when it is not. */
function settle(hashes: Float64Array, rows: Uint32Array): boolean {
  let steps = hashes.length * PATIENCE;
  for (let i = 1; i < hashes.length; i++) {
    const hash = hashes[i]!;
    if (hashes[i - 1]! <= hash) continue;
    const row = rows[i]!;
    let at = i;
    while (at > 0 && hashes[at - 1]! > hash) {
      hashes[at] = hashes[at - 1]!;
      rows[at] = rows[at - 1]!;
      at--;
    }
    hashes[at] = hash;
    rows[at] = row;
    steps -= i - at;
    if (steps < 0) return false;
  }
  return true;
}

async function sorted(hashes: Float64Array): Promise<HashedRows> {
  const rows = new Uint32Array(hashes.length);
  for (let row = 0; row < rows.length; row++) rows[row] = row;
  const frame = await frameOf({ [keyName(0)]: hashes, [ROWS]: rows })
    .lazy()
    .filter(pl.col(keyName(0)).gt(pl.lit(NO_HASH)))
    .sort(keyName(0), false)
    .collect();
  return { hashes: numbersOf(frame, keyName(0)) as Float64Array, rows: numbersOf(frame, ROWS) as Uint32Array };
}
