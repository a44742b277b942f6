import type { ObjectStore } from '../../src/storage';

export interface PublishedFiles {
  /** Keys below the table's root, sorted; null where there is no Delta table. */
  readonly curated: readonly string[] | null;
  readonly quarantine: readonly string[] | null;
}

/** What a reader that knows nothing of Tidegate sees (PROTOCOL.md, "Action Reconciliation"), of a log of commits alone. */
export async function publishedFiles(store: ObjectStore): Promise<PublishedFiles> {
  const filesOf = async (kind: 'curated' | 'quarantine'): Promise<string[] | null> => {
    const commits: string[] = [];
    for await (const { key } of store.list(`${kind}/_delta_log`)) if (/\/\d{20}\.json$/.test(key)) commits.push(key);
    if (commits.length === 0) return null;
    const files = new Set<string>();
    const texts = await Promise.all(commits.toSorted().map(async (key) => (await store.read(key)).toString('utf8')));
    for (const line of texts.join('').trim().split('\n')) {
      const { add, remove } = JSON.parse(line) as { add?: { path: string }; remove?: { path: string } };
      if (remove) files.delete(remove.path);
      if (add) files.add(add.path);
    }
    return [...files].map((path) => `${kind}/${decodeURIComponent(path)}`).toSorted();
  };
  // The quarantine first: it may lag behind, and never runs ahead.
  const quarantine = await filesOf('quarantine');
  return { curated: await filesOf('curated'), quarantine };
}
