import { z } from 'zod';
import type { ObjectStore } from '../../storage';
import { RETAINED } from './layout';
import { readIfThere } from './read';

const schema = z.object({ oldest: z.int().positive() });

/** The oldest version whose files are all kept. Written before any of an older one is removed. */
export async function oldestKept(store: ObjectStore): Promise<number> {
  const bytes = await readIfThere(store, RETAINED);
  return bytes === null ? 1 : schema.parse(JSON.parse(bytes.toString('utf8'))).oldest;
}

export async function writeOldestKept(store: ObjectStore, oldest: number): Promise<void> {
  await store.write(RETAINED, `${JSON.stringify({ oldest })}\n`);
}
