import { join } from 'node:path';
import fc from 'fast-check';
import { type Fault, FaultLane, type Format, type Outcome } from '../support/fault-lane';
import { expectRowsEqual, oracle, readTables } from '../support/oracle';
import { python } from '../support/python';
import { transaction, transactions } from '../support/transactions';

/**
 * A run of several partitions by a real worker under a real server, with a fault at its storage
 * operations: thrown before one, thrown after it was done (its reply is lost), or the process killed
 * there. Temporal tries again. Of a Delta table, throws at every operation that changes something; of those that only
 * look, every fourth meets one, before it; kills are a spread sample, and so is the directory format. Of larger runs a few,
 * with drawn faults. `npm run soak:faults` does all of them, and draws more.
 */
const ALL = process.env['TIDEGATE_FAULTS'] === 'all';
/** Operations at which the process is killed, of each format. */
const KILLED: Record<Format, number> = { delta: 4, directory: 2 };
const LANES = 4;
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

const FIRST = {
  '2026-01-01': [...transactions('a', 3), transaction('a-rejected', { amount: -1 })],
  '2026-01-02': [...transactions('b', 2), transaction('b-rejected', { user_id: null })],
};
const THEN = {
  '2026-01-02': [transaction('b-0', { updated_at: Date.UTC(2026, 5, 1), amount: 99 }), transaction('b-late')],
  '2026-01-03': [...transactions('c', 3), transaction('c-rejected', { amount: 0 })],
};
const idsOf = (...names: string[]): string[] => names.map((name) => `t${name}`).toSorted();
const OLD = idsOf('a-0', 'a-1', 'a-2', 'b-0', 'b-1');
const NEW = [...OLD, ...idsOf('b-late', 'c-0', 'c-1', 'c-2')].toSorted();

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

function expectOnce(outcome: Outcome, old: readonly string[], now: readonly string[]): void {
  expect(outcome).toMatchObject({
    summary: { status: 'committed', commit: { version: 2 } },
    version: 2,
    commitsOfRequest: 1,
    faults: [],
    orphans: [],
  });
  expect(outcome.seen).toEqual([old, now]);
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
      const operations = await lanes[0]!.operations();
      const faults = (action: Fault['action'], at: readonly number[], both: (name: string) => boolean): Fault[] =>
        at.flatMap((index) =>
          (['before', 'after'] as const)
            .filter((when) => when === 'before' || both(operations[index - 1]!))
            .map((when) => ({ at: index, when, action })),
        );
      const every = spread(operations.length, operations.length);
      const killed = ALL ? every : spread(KILLED[format], operations.length);
      const writes = every.filter((at) => WRITES.test(operations[at - 1]!) || at % READ_EVERY === 0);
      const thrown = ALL ? every : format === 'delta' ? writes : spread(THROWN_AT, operations.length);
      const planned = [
        ...faults('kill', killed, () => true),
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
          for (const fault of queue) {
            const outcome = await lane.run([fault]);
            const label = `${fault.action} ${fault.when} ${operations[fault.at - 1]}`;
            try {
              expectOnce(outcome, OLD, NEW);
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
      const count = (action: Fault['action']): number =>
        new Set(cases.filter((fault) => fault.action === action).map(({ at }) => at)).size;
      process.stderr.write(
        `${format}: ${injected} faults injected in ${cases.length} runs: thrown at ${count('throw')} and killed at ` +
          `${count('kill')} of ${operations.length} storage operations, in ${Math.round((Date.now() - began) / 1000)} s` +
          `${missed.length === 0 ? '' : `; not reached: ${missed.join(', ')}`}\n`,
      );
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
  const [first, then] = [rows('first', days.slice(0, 8)), rows('then', days.slice(6))];
  const [old, now] = [ids(first).toSorted(), [...ids(first), ...ids(then)].toSorted()];
  const lane = await FaultLane.create(format, first, then);
  const began = Date.now();
  let injected = 0;
  try {
    const operations = await lane.operations();
    const fault = fc.record<Fault>({
      at: fc.integer({ min: 1, max: operations.length }),
      when: fc.constantFrom('before', 'after'),
      action: fc.constantFrom('throw', 'throw', 'kill'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fault, { minLength: 1, maxLength: 4 }), async (faults) => {
        const outcome = await lane.run(faults);
        expectOnce(outcome, old, now);
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
