import { type Engine, engineHere } from '../engine';
import { EngineInThreads } from './engine-in-threads';

/** An engine that computes in threads; here where the program runs uncompiled, as threads load compiled modules. */
export function newEngine(): Engine {
  return EngineInThreads.isPossible ? new EngineInThreads() : engineHere;
}
