import { open } from 'node:fs/promises';
import { type Planes, U32 } from './index-layout';
import { type Memory, fill } from './read-memory';

/** Where some rows of a section stand in the file of an index: how many, and where each plane begins, in bytes. */
export interface PlanesPlace {
  readonly path: string;
  readonly count: number;
  readonly high: number;
  readonly rows: number;
  readonly low: number;
}

export async function readPlanes({ path, count, high, rows, low }: PlanesPlace, memory: Memory): Promise<Planes> {
  const file = await open(path, 'r');
  const read = (at: number, width: number): Promise<Buffer> => fill(memory.take(width * count), file, at, path);
  try {
    const [upper, numbers, lower] = await Promise.all([read(high, U32), read(rows, U32), read(low, U32 / 2)]);
    return {
      high: new Uint32Array(upper.buffer, upper.byteOffset, count),
      rows: new Uint32Array(numbers.buffer, numbers.byteOffset, count),
      low: new Uint16Array(lower.buffer, lower.byteOffset, count),
    };
  } finally {
    await file.close();
  }
}
