export type { ResolveInput, TransformInput } from './inputs';
export type { EngineHooks, OutputFile, PartitionResolution, PartitionResult } from './types';
export { resolve } from './resolve';
export { transformPartition } from './transform';
