import type { EngineHooks } from '../types';
import type { MakeIndexInput } from './make-index';

export interface TableHooks extends EngineHooks {
  /** Makes an index elsewhere, at the same time. Absent: all are made here. */
  readonly makeIndex?: (input: MakeIndexInput) => Promise<void>;
}
