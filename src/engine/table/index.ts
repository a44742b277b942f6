export { type TableResolution, resolveTable } from './resolve-table';
