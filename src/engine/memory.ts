import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/**
 * Native frames are freed only once V8 has collected their handles and the event loop has turned;
 * V8 sees a handle of a few bytes and is in no hurry. So between partitions both are done on purpose.
 */
export async function releaseNativeMemory(): Promise<void> {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
  await setImmediate();
}
