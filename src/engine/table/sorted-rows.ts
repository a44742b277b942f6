import { lowerBound } from '../read-rows';

/** Sets of row numbers as ascending arrays without repeats. */
const EMPTY = new Uint32Array(0);

export function union(a: Uint32Array, b: Uint32Array): Uint32Array {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const all = new Uint32Array(a.length + b.length);
  let count = 0;
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    const next = j === b.length || (i < a.length && a[i]! <= b[j]!) ? a[i]! : b[j]!;
    if (i < a.length && a[i] === next) i++;
    if (j < b.length && b[j] === next) j++;
    all[count++] = next;
  }
  return all.slice(0, count);
}

/** Those of `a` that are not in `b`. */
export function minus(a: Uint32Array, b: Uint32Array): Uint32Array {
  return b.length === 0 ? a : a.filter((row) => !has(b, row));
}

/** Those of `a` that are in `b`. */
export function both(a: Uint32Array, b: Uint32Array): Uint32Array {
  return b.length === 0 ? EMPTY : a.filter((row) => has(b, row));
}

/** Those that are in one and not in the other. */
export const difference = (a: Uint32Array, b: Uint32Array): Uint32Array => union(minus(a, b), minus(b, a));

export function equal(a: Uint32Array, b: Uint32Array): boolean {
  return a.length === b.length && a.every((row, i) => row === b[i]);
}

export function has(rows: Uint32Array, row: number): boolean {
  return rows[lowerBound(rows, row)] === row;
}

/** Rows below `total` that are in neither list. */
export function others(total: number, a: Uint32Array, b: Uint32Array): Uint32Array {
  const rows = new Uint32Array(total);
  let [count, i, j] = [0, 0, 0];
  for (let row = 0; row < total; row++) {
    if (a[i] === row || b[j] === row) {
      if (a[i] === row) i++;
      if (b[j] === row) j++;
    } else rows[count++] = row;
  }
  return rows.subarray(0, count);
}
