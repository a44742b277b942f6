import type { ObjectStore } from '../../storage';
import type { Commit } from '../table';
import { corrupt } from './actions';
import { requestKey } from './layout';
import { readIfThere } from './read';
import { parseRecord } from './state-document';

/** The commit that holds a request id, however old: by its entry, which all but the newest commit surely have. */
export async function findCommit(store: ObjectStore, newest: Commit, requestId: string): Promise<Commit | null> {
  if (newest.requestId === requestId) return newest;
  const key = requestKey(requestId);
  const bytes = await readIfThere(store, key);
  if (bytes === null) return null;
  const { commit } = parseRecord(bytes.toString('utf8'), `${store.root}/${key}`);
  if (commit.requestId === requestId) return commit;
  throw corrupt(`${store.root}/${key} belongs to the request "${commit.requestId}"; expected "${requestId}"`);
}
