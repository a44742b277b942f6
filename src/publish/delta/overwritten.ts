import type { OverwrittenPartition } from '../../quality';
import { KINDS } from './layout';
import { datesOf, type Base, type Change } from './next-commit';
import { ownFiles } from './state';
import type { FileRef } from './state-document';

/**
 * What a change undoes of other writers' work: the partitions it replaces or takes out whose rows they changed
 * since Tidegate wrote them, by table and date. What they only rearranged is not among them.
 */
export function overwrittenBy(change: Pick<Change, 'partitions' | 'dropped'>, base: Base): OverwrittenPartition[] {
  const tables = { curated: base, quarantine: base.quarantine };
  return KINDS.flatMap((table) =>
    datesOf(change).flatMap((date): OverwrittenPartition[] => {
      const { active, others } = tables[table];
      const commits = others.get(date);
      if (commits === undefined) return [];
      const found = active.get(date) ?? [];
      const own = ownFiles(base.state?.partitions.get(date), table);
      const [added, removed] = [without(found, own), without(own, found)];
      // They took back what they did.
      if (added.length + removed.length === 0) return [];
      return [{ table, date, added: sizeOf(added), removed: sizeOf(removed), commits }];
    }),
  );
}

function without(files: readonly FileRef[], others: readonly FileRef[]): FileRef[] {
  const paths = new Set(others.map(({ path }) => path));
  return files.filter(({ path }) => !paths.has(path));
}

function sizeOf(files: readonly FileRef[]): OverwrittenPartition['added'] {
  const known = files.every(({ rows }) => rows !== undefined);
  return { files: files.length, rows: known ? files.reduce((sum, { rows = 0 }) => sum + rows, 0) : null };
}
