export type { ObjectInfo, ObjectStore, ScanOptions } from './object-store';
export { localStore, type LocalStoreOptions } from './local-store';
export { s3Store, type S3StoreOptions } from './s3-store';
export { openStore } from './open-store';
export { under } from './location';
export { resolveInside } from './inside';
export { sha256Of } from './sha256';
export { causeOf, redact } from './redact';
export { StorageError } from './storage-error';
