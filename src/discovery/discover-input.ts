import { type Contract, resolutionDigest, rowsDigest } from '../contract';
import { openStore } from '../storage';
import type { DiscoverInput } from './discover';
import { utcToday } from './partition-date';

/** What a plan of a contract is made from, now: its raw zone, its rules, the table as committed. */
export const discoverInput = (
  contract: Contract,
  scope: DiscoverInput['scope'],
  state: DiscoverInput['state'],
): DiscoverInput => ({
  contract,
  store: openStore(contract.source.path),
  digests: { resolution: resolutionDigest(contract), rows: rowsDigest(contract) },
  scope,
  state,
  today: utcToday(),
});
