import { cp, rm } from 'node:fs/promises';
import type { Contract } from '../../../src/contract/contract';
import { localStore, type ObjectStore } from '../../../src/storage';
import { meetingStore } from '../../support/meeting-store';
import { contractFor } from './support';

/** Something done to a table, through a store if one is given. */
export type Act = (contract: Contract, store?: ObjectStore) => Promise<unknown>;

/**
 * Does `act`, and `other` whole at one of its storage operations: at each in turn, or each `step`-th. Returns how `act` ended
 * each time: 'done', or the error's name.
 */
export async function meetings(
  pristine: Contract,
  act: Act,
  other: Act,
  check: (contract: Contract) => Promise<void>,
  step = 1,
) {
  const ends = new Map<string, number>();
  for (let at = 0; ; at += step) {
    const copy = contractFor(`${pristine.publish.path}-${at}`);
    await cp(pristine.publish.path, copy.publish.path, { recursive: true, preserveTimestamps: true });
    const meeting = meetingStore(localStore(copy.publish.path), at, () => other(copy));
    const end = await act(copy, meeting.store).then(
      () => 'done',
      (error: Error & { type?: string }) => error.type ?? error.name,
    );
    if (!meeting.met()) return ends;
    ends.set(end, (ends.get(end) ?? 0) + 1);
    try {
      await check(copy);
    } catch (error) {
      throw new Error(`met at ${meeting.operation()}: ${String(error)}`, { cause: error });
    }
    await rm(copy.publish.path, { recursive: true });
  }
}
