/** The door to the engine. Polars does not come with it: see `engineHere`. */
export type { ResolveInput, ResolveTableInput, TransformInput } from './inputs';
export { type Engine, engineHere, inspector } from './engine';
export { newEngine } from './threads/new-engine';
export type { EngineHooks, OutputFile, PartitionResolution, PartitionResult, Progress } from './types';
export type { ColumnFacts, InspectedColumn, ValueKind } from './inspect';
export type { TableResolution } from './table';
