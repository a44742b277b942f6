import { resolve } from '../../src/engine/resolve';
import { contractOf, int64, newFolder } from './support';

test.each(['partition', 'window'] as const)(
  'a plan without partitions, which only removes some, resolves to nothing in scope %s',
  async (scope) => {
    const contract = contractOf(newFolder(), { columns: [int64('id'), int64('at')], scope });
    const directory = newFolder();
    expect(await resolve({ contract, sourceRoot: contract.source.path, partitions: [], directory })).toEqual([]);
  },
);
