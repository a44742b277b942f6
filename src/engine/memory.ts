import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Of what was read since the last collection, decompressed, as far as can be told. */
const DUE_AFTER = 32 * 1024 * 1024;
/** Frames of however few rows have a price too. */
const SMALL = 512 * 1024;
const CELL = 8;
/** What compressed source commonly grows to; runs of equal values grow to far more, which the cells tell. */
const GROWTH = 4;

let collect: (() => void) | undefined;
let held = 0;

/**
 * Native frames are freed only once V8 has collected their handles and the event loop has turned;
 * V8 sees a handle of a few bytes and is in no hurry. So both are done on purpose, whenever enough
 * has been read.
 *
 * @param read since the last call: rows, columns, and bytes of source files.
 */
export async function releaseNativeMemory(read: {
  readonly rows: number;
  readonly columns: number;
  readonly bytes: number;
}): Promise<void> {
  held += SMALL + Math.max(read.bytes * GROWTH, read.rows * read.columns * CELL);
  if (held < DUE_AFTER) return;
  await collectGarbage();
}

/** Frees native frames that nothing refers to, and arrays. */
export async function collectGarbage(): Promise<void> {
  held = 0;
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
  await setImmediate();
}
