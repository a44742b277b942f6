import { createHash } from 'node:crypto';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';

const KEY = 'tidegate.operation-counts';
/** Many more than there are names. */
const SLOTS = 1024;

/** Shared by all threads of the process: those started later inherit it. */
function memory(): SharedArrayBuffer {
  const there = getEnvironmentData(KEY);
  if (there instanceof SharedArrayBuffer) return there;
  const made = new SharedArrayBuffer((1 + 2 * SLOTS) * Int32Array.BYTES_PER_ELEMENT);
  setEnvironmentData(KEY, made);
  return made;
}

const shared = memory();
/** The setting that the counts are of. */
const counted = new Int32Array(shared, 0, 1);
const names = new Int32Array(shared, 4, SLOTS);
const counts = new Int32Array(shared, 4 * (1 + SLOTS), SLOTS);

/** Begins to count anew when the setting is another one than before. */
export function countUnder(setting: string): void {
  const digest = digestOf(setting);
  if (Atomics.exchange(counted, 0, digest) !== digest) counts.fill(0);
}

/** How often this name was given, this time included. */
export function next(name: string): number {
  const digest = digestOf(name);
  for (let slot = digest >>> 22; ; slot = (slot + 1) % SLOTS) {
    const before = Atomics.compareExchange(names, slot, 0, digest);
    if (before === 0 || before === digest) return Atomics.add(counts, slot, 1) + 1;
  }
}

/** Never 0. */
const digestOf = (text: string): number => createHash('sha256').update(text).digest().readInt32LE() | 1;
