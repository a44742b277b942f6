import type { ObjectStore } from '../../src/storage';

/**
 * How a store fails at one operation:
 * - `before`: the process dies before it; this and all later operations do nothing and throw;
 * - `after`: the process dies after it was done;
 * - `refused`: it fails once, undone, and the process lives on;
 * - `lost`: it is done, its reply is lost, and the process lives on.
 */
export const FAULTS = ['before', 'after', 'refused', 'lost'] as const;
export type FaultMode = (typeof FAULTS)[number];

const CHANGES = /^(?:write|putIfAbsent|delete) /;

/**
 * How an operation is worth failing, as {@link FaultyStore.operations} names it: one that only looks leaves behind what
 * the one before it left, and whether it was done or not is the same to whoever asked.
 */
export const modesOf = (operation: string): readonly FaultMode[] => (CHANGES.test(operation) ? FAULTS : ['refused']);

export interface FaultyStore {
  readonly store: ObjectStore;
  /** The operations begun, in order, such as `putIfAbsent curated/_delta_log/…`. */
  readonly operations: readonly string[];
}

export class InjectedFault extends Error {
  override readonly name = 'InjectedFault';
}

/** A store that fails at operation number `at`, counted from 0; never when `at` is negative. */
export function faultyStore(inner: ObjectStore, at: number, mode: FaultMode): FaultyStore {
  const operations: string[] = [];
  let dead = false;
  const around = async <Value>(name: string, key: string, work: () => Promise<Value>): Promise<Value> => {
    if (dead) throw new InjectedFault('the process is dead');
    const hit = operations.push(`${name} ${key}`) - 1 === at;
    if (!hit) return work();
    if (mode === 'before' || mode === 'after') dead = true;
    if (mode === 'after' || mode === 'lost') await work();
    throw new InjectedFault(`${mode}: ${name} ${key}`);
  };
  const store: ObjectStore = {
    ...inner,
    async *list(prefix) {
      const found = await around('list', prefix, async () => {
        const all = [];
        for await (const info of inner.list(prefix)) all.push(info);
        return all;
      });
      yield* found;
    },
    stat: (key) => around('stat', key, () => inner.stat(key)),
    read: (key) => around('read', key, () => inner.read(key)),
    readRange: (key, start, end) => around('readRange', key, () => inner.readRange(key, start, end)),
    write: (key, data) => around('write', key, () => inner.write(key, data)),
    putIfAbsent: (key, data) => around('putIfAbsent', key, () => inner.putIfAbsent(key, data)),
    checkPutIfAbsent: () => inner.checkPutIfAbsent(),
    delete: (key) => around('delete', key, () => inner.delete(key)),
  };
  return { store, operations };
}
