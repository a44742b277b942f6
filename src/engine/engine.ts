import type * as inspectModule from './inspect';
import type { ResolveInput, ResolveTableInput, TransformInput } from './inputs';
import type * as resolveModule from './resolve';
import type * as tableModule from './table';
import type { TableResolution } from './table';
import type * as transformModule from './transform';
import type { EngineHooks, PartitionResolution, PartitionResult } from './types';

/** What computes, here or in threads of its own; either way the same, errors too. */
export interface Engine {
  resolve(input: ResolveInput, hooks: EngineHooks): Promise<PartitionResolution[]>;
  resolveTable(input: ResolveTableInput, hooks: EngineHooks): Promise<TableResolution>;
  transformPartitions(inputs: readonly TransformInput[], hooks: EngineHooks): Promise<PartitionResult[]>;
  /** Makes ready what the first computation would wait for. */
  start(): Promise<void>;
  /** Ends what runs on its behalf, once what is under way has ended. */
  close(): Promise<void>;
}

/** In the thread that calls it. Polars is loaded when it is first needed: much of a program does without. */
export const engineHere: Engine = {
  resolve: async (input, hooks) => (require('./resolve') as typeof resolveModule).resolve(input, hooks),
  resolveTable: async (input, hooks) => (require('./table') as typeof tableModule).resolveTable(input, hooks),
  transformPartitions: async (inputs, hooks) =>
    (require('./transform') as typeof transformModule).transformPartitions(inputs, hooks),
  start: async () => {},
  close: async () => {},
};

/** Looks into files. */
export const inspector = (): typeof inspectModule => require('./inspect') as typeof inspectModule;
