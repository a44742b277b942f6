import type { ResolveInput } from './inputs';
import type { EngineHooks, PartitionResolution } from './types';

export async function resolve(_input: ResolveInput, _hooks: EngineHooks = {}): Promise<PartitionResolution[]> {
  throw new Error('being built');
}
