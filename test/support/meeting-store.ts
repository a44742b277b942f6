import type { ObjectStore } from '../../src/storage';

export interface MeetingStore {
  readonly store: ObjectStore;
  /** Whether the operation was reached. */
  met(): boolean;
  /** Which operation it was. */
  operation(): string;
}

/** A store at whose operation number `at`, counted from 0, somebody else acts first. */
export function meetingStore(inner: ObjectStore, at: number, other: () => Promise<unknown>): MeetingStore {
  let begun = 0;
  let met = '';
  const before = async (name: string, key: string): Promise<void> => {
    if (begun++ !== at) return;
    met = `${name} ${key}`;
    await other();
  };
  const store: ObjectStore = {
    ...inner,
    async *list(prefix) {
      await before('list', prefix);
      yield* inner.list(prefix);
    },
    stat: (key) => before('stat', key).then(() => inner.stat(key)),
    read: (key) => before('read', key).then(() => inner.read(key)),
    readRange: (key, start, end) => before('readRange', key).then(() => inner.readRange(key, start, end)),
    write: (key, data) => before('write', key).then(() => inner.write(key, data)),
    putIfAbsent: (key, data) => before('putIfAbsent', key).then(() => inner.putIfAbsent(key, data)),
    checkPutIfAbsent: () => inner.checkPutIfAbsent(),
    delete: (key) => before('delete', key).then(() => inner.delete(key)),
  };
  return { store, met: () => met !== '', operation: () => met };
}
