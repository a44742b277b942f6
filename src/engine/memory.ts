import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Of compressed source read since the last collection; natively it is several times as much. */
const DUE_AFTER = 4 * 1024 * 1024;
/** Frames of however few rows have a price too. */
const SMALL = 64 * 1024;

let collect: (() => void) | undefined;
let held = 0;

/**
 * Native frames are freed only once V8 has collected their handles and the event loop has turned;
 * V8 sees a handle of a few bytes and is in no hurry. So both are done on purpose, whenever enough
 * has been read.
 *
 * @param bytes of source files, read since the last call.
 */
export async function releaseNativeMemory(bytes: number): Promise<void> {
  held += bytes + SMALL;
  if (held < DUE_AFTER) return;
  held = 0;
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
  await setImmediate();
}
