import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_MS = 50;
const LONGEST_MS = 5_000;

/** Waits before try `tried + 1`: at random up to a bound that doubles each time, so that many writers do not meet again. */
export async function backoff(tried: number): Promise<void> {
  await sleep(Math.random() * Math.min(LONGEST_MS, FIRST_MS * 2 ** tried));
}
