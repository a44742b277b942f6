import type { TransformInput } from './inputs';
import type { EngineHooks, PartitionResult } from './types';

export async function transformPartition(_input: TransformInput, _hooks: EngineHooks = {}): Promise<PartitionResult> {
  throw new Error('being built');
}
