import { createHash } from 'node:crypto';
import type { ObjectStore } from './object-store';

/**
 * Bytes read at a time: few enough to hold many files at once, many enough for an object store's latency. They are read
 * into the same memory, as V8 collects garbage whenever 64 MiB of buffers were made.
 */
const CHUNK = 8 * 1024 * 1024;
/** Of a file that was read before; null while another is read into it. */
let spare: Buffer | null = null;

/** The SHA-256, in hex, of an object's first `size` bytes, read piece by piece. */
export async function sha256Of(
  store: Pick<ObjectStore, 'readRange'>,
  key: string,
  size: number,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<string> {
  const hash = createHash('sha256');
  const into = size < CHUNK || spare === null ? Buffer.allocUnsafeSlow(Math.min(CHUNK, size)) : spare;
  if (into === spare) spare = null;
  for (let start = 0; start < size; start += CHUNK) {
    signal?.throwIfAborted();
    hash.update(await store.readRange(key, start, Math.min(start + CHUNK, size), into));
  }
  if (into.length === CHUNK) spare = into;
  return hash.digest('hex');
}
