import { codeOf } from '../../errors';
import type { ObjectStore } from '../../storage';

/** An object's bytes, or null when it is not there. */
export async function readIfThere(store: ObjectStore, key: string): Promise<Buffer | null> {
  try {
    return await store.read(key);
  } catch (error) {
    const code = codeOf(error) ?? codeOf(error instanceof Error ? error.cause : undefined);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}
