/** Bytes that `engine.memory` is at least. */
export const LEAST_MEMORY = 256 * 1024 ** 2;
/** What `engine.memory` is in a contract that does not say. */
export const DEFAULT_MEMORY = '1GiB';

const UNITS: Readonly<Record<string, number>> = { '': 1, B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };
const BYTES = /^(\d{1,15}(?:\.\d{1,3})?) ?(B|KiB|MiB|GiB)?$/;

/** An amount of memory as a contract writes it (`1GiB`, `1.5 GiB`, 1073741824), in whole bytes; null when it is none. */
export function parseBytes(value: string | number): number | null {
  const [, amount, unit = ''] = BYTES.exec(String(value)) ?? [];
  if (amount === undefined) return null;
  const bytes = Number(amount) * UNITS[unit]!;
  return Number.isSafeInteger(bytes) ? bytes : null;
}
