import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataFrame } from 'nodejs-polars';
import { detached } from '../../src/engine/detached';
import { releaseNativeMemory } from '../../src/engine/memory';
import { frameOf, pl } from '../../src/engine/polars';

const folder = mkdtempSync(join(tmpdir(), 'tidegate-detached-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ROWS = 200_000;
const BATCHES = 20;

test('a few rows of many batches hold no more than their own texts, and are the same rows', async () => {
  const path = join(folder, 'batch.parquet');
  const text = (row: number): string => `${row} ${'x'.repeat(100)}`;
  pl.DataFrame({ text: Array.from({ length: ROWS }, (_, row) => text(row)) }).writeParquet(path);
  const collected = async (): Promise<number> => {
    for (let i = 0; i < 3; i++) await releaseNativeMemory({ rows: 2 ** 24, columns: 1, bytes: 0 });
    return process.memoryUsage().rss;
  };
  const wanted = frameOf({ row: Uint32Array.of(7, ROWS - 1) });
  const before = await collected();
  const kept: DataFrame[] = [];
  for (let batch = 0; batch < BATCHES; batch++) {
    const some = await pl
      .scanParquet(path, { rowIndexName: 'row' })
      .join(wanted.lazy(), { on: 'row', how: 'semi' })
      .select('text')
      .collect();
    kept.push(await detached(some, join(folder, 'scratch')));
    await collected();
  }
  const after = await collected();
  expect(kept.map((frame) => frame.rows())).toEqual(
    Array.from({ length: BATCHES }, () => [[text(7)], [text(ROWS - 1)]]),
  );
  // All batches together have 440 MB of text.
  expect((after - before) / 2 ** 20).toBeLessThan(200);
});
