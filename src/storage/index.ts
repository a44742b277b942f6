export type { ObjectInfo, ObjectStore } from './object-store';
export { localStore, type LocalStoreOptions } from './local-store';
export { resolveInside } from './inside';
export { StorageError } from './storage-error';
