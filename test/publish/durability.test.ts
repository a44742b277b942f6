import fsp, { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { openTable } from '../../src/publish';
import { contractFor, newTablePath, stage } from './support/fixture';

it('everything of a version is made durable before it is claimed, the claim before it is indexed, the index before it is shown', async () => {
  const path = await newTablePath();
  const contract = contractFor(path);
  const table = openTable(contract);
  await table.claimFolder();
  const outcomes = [{ date: '2026-05-01', quarantined: 1 }, { date: '2026-05-02' }];
  const input = await stage({ contract, base: await table.read(), requestId: 'a', outcomes });

  /** What was fsynced, and renamed to where, in order; paths relative to the table, the attempt's tree as <tree>. */
  const events: string[] = [];
  const name = (place: unknown): string =>
    relative(path, String(place)).replace(/^_staging\/[^/]+\/[^/]+\/snapshot/, '<tree>') || '<root>';
  const realOpen = fsp.open;
  const open = jest.spyOn(fsp, 'open').mockImplementation(async (...args) => {
    const handle = await realOpen(...args);
    const sync = handle.sync.bind(handle);
    handle.sync = async () => {
      await sync();
      events.push(`fsync ${name(args[0])}`);
    };
    return handle;
  });
  const realRename = fsp.rename;
  const renamed = jest.spyOn(fsp, 'rename').mockImplementation(async (from, to) => {
    await realRename(from, to);
    events.push(`rename ${name(to)}`);
  });
  await table.publish(input);
  open.mockRestore();
  renamed.mockRestore();

  const claimed = events.indexOf('rename snapshots/00000001');
  const shown = events.indexOf('rename current');
  const tree = await readdir((await table.pathOf()).path, { recursive: true, withFileTypes: true });
  const folders = tree
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const places = [
    '<tree>',
    ...folders.map((folder) => `<tree>${folder.slice(folder.indexOf('00000001') + 8)}`),
    ...['commit.json', 'report.json', 'state.json'].map((file) => `<tree>/${file}`),
    ...input.results.flatMap((result) => [...result.curated, ...result.quarantine].map((file) => file.path)),
  ];
  expect(places).toHaveLength(1 + 5 + 3 + 3);
  const before = events.slice(0, claimed);
  expect(places.filter((place) => !before.includes(`fsync ${place}`))).toEqual([]);
  const between = events.slice(claimed, shown);
  expect(between.indexOf('fsync snapshots')).toBeGreaterThan(0);
  expect(between.indexOf('fsync requests')).toBeGreaterThan(between.indexOf('fsync snapshots'));
  expect(events.slice(shown)).toContain('fsync <root>');
});
