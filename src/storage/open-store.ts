import { failingStore } from './failing-store';
import { localStore, type LocalStoreOptions } from './local-store';
import { parseLocation } from './location';
import type { ObjectStore } from './object-store';
import { s3Store } from './s3-store';

/** The store over a location: an `s3://bucket/prefix`, or a folder of local files. Touches nothing. */
export function openStore(location: string, options: LocalStoreOptions = {}): ObjectStore {
  const parsed = parseLocation(location);
  const store =
    parsed.kind === 's3' ? s3Store(parsed.bucket, parsed.prefix, options) : localStore(parsed.path, options);
  return process.env['TIDEGATE_FAILPOINTS'] ? failingStore(store) : store;
}
