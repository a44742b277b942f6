import { mkdtempSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MEMORY_DISK = '/dev/shm';
const ENOUGH_BYTES = 512 * 1024 * 1024;

/** A folder for thousands of tiny tables: in memory where there is a disk of that kind with room, as nothing here is to last. */
export function newMemoryRoot(name: string): string {
  return mkdtempSync(join(hasRoom() ? MEMORY_DISK : tmpdir(), `tidegate-${name}-`));
}

function hasRoom(): boolean {
  try {
    const { bavail, bsize } = statfsSync(MEMORY_DISK);
    return bavail * bsize > ENOUGH_BYTES;
  } catch {
    return false;
  }
}
