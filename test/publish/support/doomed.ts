/**
 * A process that does one thing with a table, and is killed at one of its file operations.
 * Usage: node -r register.js doomed.ts '<JSON of DoomedInput>'
 */
import type { Contract } from '../../../src/contract/contract';
import { type Doom, installFaults, underDoom } from '../../support/fs-faults';
import { type Act, perform } from './act';

export interface DoomedInput {
  readonly act: Act;
  readonly contract: Contract;
  readonly doom: Doom;
}

if (require.main === module) {
  const { act, contract, doom } = JSON.parse(process.argv[2]!) as DoomedInput;
  installFaults();
  void underDoom({ ...doom, kill: true }, () => perform(act, contract));
}
