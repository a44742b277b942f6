export { type MakeIndexInput, makeIndex } from './make-index';
export type { TableResolution } from './outcome';
export { resolveTable } from './resolve-table';
