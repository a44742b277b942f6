import { join } from 'node:path';
import fc from 'fast-check';
import { type Fault, FaultLane, type Format, type Outcome, atOperation } from '../support/fault-lane';
import { expectRowsEqual, oracle, readTables } from '../support/oracle';
import { python } from '../support/python';
import { transaction, transactions } from '../support/transactions';

/**
 * A run of several partitions by a real worker under a real server, with a fault at its storage
 * operations: thrown before one, thrown after it was done (its reply is lost), or the process killed
 * there. Temporal tries again. Exhaustive for throws at operations that change something; of those that only
 * look, every fourth meets one, before it; kills are a spread sample and the steps of key resolution, and the directory
 * format is a spread sample. A few faults are drawn for larger runs, always the same ones. `npm run soak:faults` does all
 * of them, and draws many.
 */
const ALL = process.env['TIDEGATE_FAULTS'] === 'all';
/** Operations at which the process is killed, of each format. */
const KILLED: Record<Format, number> = { delta: 4, directory: 2 };
const LANES = 4;
/** Steps of key resolution at which it is killed besides: a new index is written, first under no name of its own; then verdicts. */
const RESOLVING = ['local.written.idx', 'store.write.idx#1.after', 'store.write.rows#1.after'];
/** A reply that is lost differs from an operation not done where it changes something. */
const WRITES = / (?:write|putIfAbsent|delete) /;
/** Of operations that change nothing. */
const READ_EVERY = 4;
/** The directory format's own operations are enumerated in test/publish/table-faults.test.ts; here those around them, spread. */
const THROWN_AT = 12;
/** `TIDEGATE_FAULTS=<n>` makes only so many of the runs, evenly spread. */
const AT_MOST = ALL ? Number.POSITIVE_INFINITY : Number(process.env['TIDEGATE_FAULTS'] ?? Number.POSITIVE_INFINITY);
/** Larger runs with drawn faults, of each format: always the same few, or any. */
const DRAWN = ALL ? 40 : 3;
const SEED = 20261123;
const MINUTES = ALL ? 60 : 10;

/** Both runs resolve keys over the whole table; what the second one brings alters partitions that it does not bring. */
const FIRST = {
  // Nothing concerns it again: its verdicts are carried on.
  '2025-12-31': [transaction('y'), transaction('y', { updated_at: Date.UTC(2026, 3, 1), amount: 7 })],
  '2026-01-01': [
    ...transactions('a', 3),
    transaction('a-rejected', { amount: -1 }),
    transaction('b-1', { updated_at: Date.UTC(2026, 3, 1), amount: 8 }),
  ],
  '2026-01-02': [...transactions('b', 2), transaction('b-rejected', { user_id: null })],
};
const NEWER = { updated_at: Date.UTC(2026, 5, 1) };
const THEN = {
  '2026-01-02': [transaction('b-0', { ...NEWER, amount: 99 }), transaction('b-late')],
  '2026-01-03': [
    ...transactions('c', 3),
    transaction('c-rejected', { amount: 0 }),
    // Moves here, away from the first of January.
    transaction('a-0', { ...NEWER, amount: 42 }),
    // Takes a-1, whose receipt was the only one of its kind, into quarantine.
    transaction('c-copied', { transaction_receipt: 'ra-1' }),
  ],
};
const idsOf = (...names: string[]): string[] => names.map((name) => `t${name}`).toSorted();
const OLD = idsOf('y', 'a-0', 'a-1', 'a-2', 'b-0', 'b-1');
const NEW = idsOf('y', 'a-0', 'a-2', 'b-0', 'b-1', 'b-late', 'c-0', 'c-1', 'c-2');
const REWRITTEN = ['2026-01-01 coupled 2', '2026-01-02 changed', '2026-01-03 new'];

const spread = (count: number, of: number): number[] =>
  count >= of
    ? Array.from({ length: of }, (_, index) => index + 1)
    : Array.from({ length: count }, (_, index) => 1 + Math.round((index * (of - 1)) / Math.max(1, count - 1)));

/** Every row by another implementation, and the log by another reader. */
async function expectTables(lane: FaultLane, tables: readonly string[], format: Format): Promise<void> {
  const expected = await oracle({ contract: lane.contract });
  const kinds = ['curated', 'quarantine'] as const;
  const places = tables.flatMap((table) => kinds.map((kind) => ({ table, kind })));
  if (format === 'directory') {
    const found = await readTables(
      places.map(({ table, kind }) => ({ folder: join(table, 'current', kind), partitionColumn: 'date' })),
    );
    for (const [index, { kind }] of places.entries()) expectRowsEqual(found[index]!.rows, expected[kind]);
    return;
  }
  const found = await readTables(
    places.map(({ table, kind }) => ({ folder: join(table, kind), partitionColumn: 'date' })),
  );
  const ids = await python<string[][]>(
    `
import polars as pl
output = [pl.scan_delta(path).select('transaction_id').sort('transaction_id').collect().to_series().to_list() for path in input]
`,
    places.map(({ table, kind }) => join(table, kind)),
  );
  for (const [index, { kind }] of places.entries()) {
    // Vacuumed, so that what lies there is what the log names.
    expectRowsEqual(found[index]!.rows, expected[kind]);
    expect(ids[index]).toEqual(expected[kind].map((row) => String(row[1])).toSorted());
  }
}

/** @param unharmed what came of the run when nothing failed. */
function expectOnce(outcome: Outcome, unharmed: Outcome, old: readonly string[], now: readonly string[]): void {
  expect(outcome).toMatchObject({
    summary: { status: 'committed', commit: { version: 2 } },
    version: 2,
    commitsOfRequest: 1,
    faults: [],
    orphans: [],
    rewritten: unharmed.rewritten,
  });
  expect(outcome.decided).toEqual(unharmed.decided);
  expect(outcome.seen).toEqual([old, now]);
}

interface Case {
  readonly fault: Fault;
  readonly label: string;
}

describe.each<Format>(['delta', 'directory'])('a run with format %s', (format) => {
  let lanes: FaultLane[] = [];
  beforeAll(async () => {
    lanes = await Promise.all(Array.from({ length: LANES }, () => FaultLane.create(format, FIRST, THEN)));
  }, 120_000);
  afterAll(async () => {
    await Promise.all(lanes.map((lane) => lane.dispose()));
  });

  test(
    'survives a fault at any storage operation',
    async () => {
      const { outcome: unharmed, operations } = await lanes[0]!.unharmed();
      expectOnce(unharmed, unharmed, OLD, NEW);
      expect(unharmed.rewritten).toEqual(REWRITTEN);
      const at = (index: number): string => operations[index - 1]!;
      const faults = (action: Fault['action'], indexes: readonly number[], both: (name: string) => boolean): Case[] =>
        indexes.flatMap((index) =>
          (['before', 'after'] as const)
            .filter((when) => when === 'before' || both(at(index)))
            .map((when) => ({ fault: atOperation(index, when, action), label: `${action} ${when} ${at(index)}` })),
        );
      const every = spread(operations.length, operations.length);
      const killed = ALL ? every : spread(KILLED[format], operations.length);
      const writes = every.filter((index) => WRITES.test(at(index)) || index % READ_EVERY === 0);
      const thrown = ALL ? every : format === 'delta' ? writes : spread(THROWN_AT, operations.length);
      const planned = [
        ...faults('kill', killed, () => true),
        ...RESOLVING.map((point): Case => ({ fault: { point, action: 'kill' }, label: `kill at ${point}` })),
        ...faults('throw', thrown, (name) => ALL || WRITES.test(name)),
      ];
      const cases = spread(Math.min(AT_MOST, planned.length), planned.length).map((index) => planned[index - 1]!);

      const began = Date.now();
      let injected = 0;
      const missed: string[] = [];
      const queue = cases.values();
      await Promise.all(
        lanes.map(async (lane) => {
          const tables: string[] = [];
          for (const { fault, label } of queue) {
            const outcome = await lane.run([fault]);
            try {
              expectOnce(outcome, unharmed, OLD, NEW);
            } catch (error) {
              throw new Error(`${label}: ${String(error)}`, { cause: error });
            }
            injected += outcome.fired;
            if (outcome.fired === 0) missed.push(label);
            tables.push(outcome.table);
          }
          await expectTables(lane, tables, format);
        }),
      );
      const ofKind = (action: Fault['action']) => cases.filter(({ fault }) => fault.action === action);
      const count = (action: Fault['action']): number =>
        new Set(ofKind(action).flatMap(({ fault }) => /^store#\d+/.exec(fault.point)?.[0] ?? [])).size;
      process.stderr.write(
        `${format}: ${injected} faults injected in ${cases.length} runs: thrown at ${count('throw')} and killed at ` +
          `${count('kill')} of ${operations.length} storage operations and at ${ofKind('kill').filter(({ fault }) => RESOLVING.includes(fault.point)).length} steps of key resolution, in ${Math.round((Date.now() - began) / 1000)} s` +
          `${missed.length === 0 ? '' : `; not reached: ${missed.join(', ')}`}\n`,
      );
      expect(missed.filter((label) => !label.includes('store#'))).toEqual([]);
      // A run may make a few operations fewer than the one that was counted: then its last ones are not reached.
      expect(missed.length).toBeLessThanOrEqual(Math.max(2, cases.length / 20));
    },
    MINUTES * 60_000,
  );
});

/** Runs of twelve partitions, with several faults on the way of each. */
async function largerRuns(format: Format): Promise<void> {
  const days = Array.from({ length: 12 }, (_, day) => `2026-02-${String(day + 1).padStart(2, '0')}`);
  const rows = (name: string, some: readonly string[]) =>
    Object.fromEntries(some.map((day) => [day, transactions(`${name}-${day}`, 5)]));
  const ids = (raw: ReturnType<typeof rows>) =>
    Object.values(raw).flatMap((all) => all.map((row) => row.transaction_id));
  const [first, added] = [rows('first', days.slice(0, 8)), rows('then', days.slice(6))];
  const [old, now] = [ids(first).toSorted(), [...ids(first), ...ids(added)].toSorted()];
  // Each of these days also takes a key of an earlier one away.
  const moved = (index: number) => transaction(`first-${days[index]}-0`, NEWER);
  const then = Object.fromEntries(Object.entries(added).map(([day, all], index) => [day, [...all, moved(index)]]));
  const lane = await FaultLane.create(format, first, then);
  const began = Date.now();
  let injected = 0;
  try {
    const { outcome: unharmed, operations } = await lane.unharmed();
    const fault = fc
      .record({
        at: fc.integer({ min: 1, max: operations.length }),
        when: fc.constantFrom('before', 'after'),
        action: fc.constantFrom('throw', 'throw', 'kill'),
      })
      .map(({ at, when, action }) => atOperation(at, when, action));
    await fc.assert(
      fc.asyncProperty(fc.array(fault, { minLength: 1, maxLength: 4 }), async (faults) => {
        const outcome = await lane.run(faults);
        expectOnce(outcome, unharmed, old, now);
        injected += outcome.fired;
        await expectTables(lane, [outcome.table], format);
      }),
      { numRuns: DRAWN, endOnFailure: true, ...(!ALL && { seed: SEED }) },
    );
    process.stderr.write(
      `${format}: ${injected} faults injected in ${DRAWN} runs of ${operations.length} storage operations, ` +
        `in ${Math.round((Date.now() - began) / 1000)} s\n`,
    );
    expect(injected).toBeGreaterThan(0);
  } finally {
    await lane.dispose();
  }
}

test(
  'larger runs, in both formats, survive any few faults',
  async () => {
    // At once, as most of it is waiting.
    const ended = await Promise.allSettled((['delta', 'directory'] as const).map(largerRuns));
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
  },
  MINUTES * 60_000,
);
