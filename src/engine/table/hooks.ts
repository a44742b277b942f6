import type { EngineHooks } from '../types';
import type { MakeIndexesInput } from './make-indexes';

export interface TableHooks extends EngineHooks {
  /** Makes indexes elsewhere, at the same time. Absent: all are made here. */
  readonly makeIndexes?: (input: MakeIndexesInput) => Promise<void>;
}
