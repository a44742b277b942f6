import { tmpdir } from 'node:os';
import { type ObjectStore, openStore } from '../storage';

/** Where row sets and outputs go. */
export const targetStore = (location: string): ObjectStore => openStore(location, { errorType: 'TargetError' });

/** What does not fit in memory waits beside the row sets, or in the system's temporary folder where they go to an object store. */
export const scratchParent = (directory: string): string =>
  targetStore(directory).kind === 'local' ? directory : tmpdir();
