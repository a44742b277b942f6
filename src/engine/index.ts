export type { ResolveInput, ResolveTableInput, TransformInput } from './inputs';
export type { EngineHooks, OutputFile, PartitionResolution, PartitionResult } from './types';
export { type ColumnFacts, type InspectedColumn, type ValueKind, countViolations, inspectRows } from './inspect';
export { resolve } from './resolve';
export { type TableResolution, resolveTable } from './table';
export { transformPartition, transformPartitions } from './transform';
