export type { TableResolution } from './outcome';
export { resolveTable } from './resolve-table';
