export type { ResolveInput, TransformInput } from './inputs';
export type { EngineHooks, OutputFile, PartitionResolution, PartitionResult } from './types';
export { type ColumnFacts, type InspectedColumn, type ValueKind, countViolations, inspectRows } from './inspect';
export { resolve } from './resolve';
export { transformPartition, transformPartitions } from './transform';
