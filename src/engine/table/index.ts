export { type MakeIndexesInput, makeIndexes } from './make-indexes';
export type { TableResolution } from './outcome';
export { resolveTable } from './resolve-table';
