import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openTable } from '../../src/publish';
import { contractFor, newTablePath, stage } from './support/fixture';

describe('the folder a contract publishes to', () => {
  it('is a table at version 0 when it is missing or empty, and looking at it creates nothing', async () => {
    const path = await newTablePath();
    const table = openTable(contractFor(path));
    expect(await table.read()).toEqual({ version: 0, commit: null, watermark: null, partitions: new Map() });
    expect(await table.find('a')).toBeNull();
    expect(await table.vacuum({ dryRun: false, olderThanHours: 0 })).toMatchObject({ removed: [] });
    expect(await readdir(dirname(path))).toEqual([]);
    await mkdir(path);
    expect((await table.read()).version).toBe(0);
    expect(await readdir(path)).toEqual([]);
  });

  it('is marked once as the pipeline’s, however many workers come', async () => {
    const path = await newTablePath();
    await Promise.all(Array.from({ length: 8 }, () => openTable(contractFor(path)).claimFolder()));
    expect(await readdir(path)).toEqual(['tidegate.json']);
    expect(JSON.parse(await readFile(join(path, 'tidegate.json'), 'utf8'))).toEqual({
      format: 'tidegate/directory',
      formatVersion: 1,
      pipeline: 'transactions',
    });
  });

  it('goes to one of two pipelines that race for it', async () => {
    const path = await newTablePath();
    const claims = ['a', 'b'].map((pipeline) => openTable(contractFor(path, { pipeline })).claimFolder());
    const outcomes = await Promise.allSettled(claims);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  it('is refused when it holds something else, which stays untouched', async () => {
    const path = await newTablePath();
    await mkdir(path);
    await writeFile(join(path, 'thesis.docx'), 'years');
    const table = openTable(contractFor(path));
    const refused = {
      type: 'TargetError',
      message: `publish.path ${path} holds 1 other entry (thesis.docx) and no tidegate.json: it is not a Tidegate table; name a new or empty folder`,
    };
    await expect(table.read()).rejects.toMatchObject(refused);
    await expect(table.claimFolder()).rejects.toMatchObject(refused);
    await expect(table.vacuum({ dryRun: false, olderThanHours: 0 })).rejects.toMatchObject(refused);
    expect(await readdir(path)).toEqual(['thesis.docx']);
  });

  it('is refused to another pipeline, by every method', async () => {
    const path = await newTablePath();
    const first = openTable(contractFor(path));
    await first.claimFolder();
    const other = contractFor(path, { pipeline: 'refunds' });
    const table = openTable(other);
    const refused = {
      type: 'TargetError',
      message: expect.stringContaining(
        `belongs to the pipeline "transactions"; the pipeline "refunds" cannot publish there`,
      ),
    };
    const input = await stage({ contract: other, base: { version: 0, watermark: null }, requestId: 'a', outcomes: [] });
    await expect(table.read()).rejects.toMatchObject(refused);
    await expect(table.claimFolder()).rejects.toMatchObject(refused);
    await expect(table.find('a')).rejects.toMatchObject(refused);
    await expect(table.publish(input)).rejects.toMatchObject(refused);
    await expect(table.history()).rejects.toMatchObject(refused);
    await expect(table.pathOf()).rejects.toMatchObject(refused);
  });

  it.each([
    [
      { format: 'tidegate/delta', formatVersion: 1, pipeline: 'transactions' },
      /has the format tidegate\/delta version 1; this Tidegate writes tidegate\/directory version 1/,
    ],
    [
      { format: 'tidegate/directory', formatVersion: 9, pipeline: 'transactions' },
      /version 9; this Tidegate writes tidegate\/directory version 1/,
    ],
    [{ hello: 'world' }, /is not one of Tidegate's/],
  ])('is refused when its marker is %j', async (marker, message) => {
    const path = await newTablePath();
    await mkdir(path);
    await writeFile(join(path, 'tidegate.json'), JSON.stringify(marker));
    await expect(openTable(contractFor(path)).read()).rejects.toMatchObject({
      type: 'TargetError',
      message: expect.stringMatching(message),
    });
  });

  it('is refused when it is a file, or lies below one', async () => {
    const path = await newTablePath();
    await writeFile(path, '');
    for (const place of [path, join(path, 'below')]) {
      await expect(openTable(contractFor(place)).claimFolder()).rejects.toMatchObject({
        type: 'TargetError',
        message: `publish.path ${place} is, or lies below, a file; expected a folder, or nothing yet`,
      });
    }
  });

  it('may be a fresh file system, or hold what an interrupted claim left', async () => {
    const path = await newTablePath();
    await mkdir(join(path, 'lost+found'), { recursive: true });
    await writeFile(join(path, '.tmp-0'), '');
    await openTable(contractFor(path)).claimFolder();
    expect((await openTable(contractFor(path)).read()).version).toBe(0);
  });
});
