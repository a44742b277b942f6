import fc from 'fast-check';
import {
  type PartitionDate,
  type Plan,
  type PlanInput,
  type PlanState,
  type PlanScope,
  type SourceFile,
  addDays,
  daysBetween,
  fingerprint,
  groupPartitions,
  makePlan,
  planDigest,
} from '../../src/discovery';
import { contractFor, day, digestsOf, file } from './zone';

const BASE = day('2024-02-20');
const contract = contractFor('/data/raw');
const digests = digestsOf(contract);
const rowsOf = ({ path }: SourceFile): number => path.length;

/** A date in a spread that holds a leap day. */
const offset = fc.integer({ min: 0, max: 40 });
const names = fc.uniqueArray(
  fc.constantFrom('a.parquet', 'b [1].parquet', '～.parquet', '😀.parquet', 'ä%2F.parquet'),
  { minLength: 1 },
);
const partition = fc.record({ offset, names, version: fc.integer({ min: 1, max: 3 }) });
const scopes: fc.Arbitrary<PlanScope> = fc.oneof(
  fc.constant<PlanScope>({ kind: 'incremental' }),
  fc.constant<PlanScope>({ kind: 'backfill', select: 'all' }),
  fc.constant<PlanScope>({ kind: 'backfill', select: 'stale' }),
  fc.tuple(offset, offset).map(([a, b]): PlanScope => ({
    kind: 'backfill',
    from: addDays(BASE, Math.min(a, b)),
    to: addDays(BASE, Math.max(a, b)),
  })),
);

const filesOf = (date: PartitionDate, given: { names: string[]; version: number }): SourceFile[] =>
  given.names.map((name) => file(date, name, given.version));

const inputs: fc.Arbitrary<PlanInput> = fc
  .record({
    listed: fc.uniqueArray(partition, { selector: (p) => p.offset, maxLength: 15 }),
    consumed: fc.uniqueArray(fc.tuple(partition, fc.boolean()), { selector: ([p]) => p.offset, maxLength: 15 }),
    watermark: fc.option(offset),
    start: fc.option(offset),
    lookback: fc.integer({ min: 0, max: 10 }),
    future: fc.constantFrom('leave' as const, 'accept' as const),
    today: offset,
    scope: scopes,
  })
  .map(({ listed, consumed, watermark, start, lookback, future, today, scope }) => {
    const dated = (days: number) => addDays(BASE, days);
    const state: PlanState = {
      version: consumed.length,
      watermark: watermark === null ? null : dated(watermark),
      commit: consumed.length === 0 ? null : { digests },
      partitions: new Map(
        consumed.map(([p, isStale]) => [
          dated(p.offset),
          { fingerprint: fingerprint(filesOf(dated(p.offset), p)), rowsDigest: isStale ? 'earlier' : digests.rows },
        ]),
      ),
    };
    return {
      contract: {
        ...contract,
        incremental: { ...contract.incremental, start: start === null ? null : dated(start), lookback, future },
      },
      digests,
      scope,
      state,
      today: dated(today),
      listing: {
        partitions: listed.map((p) => ({ date: dated(p.offset), files: filesOf(dated(p.offset), p) })),
        ignored: [
          { path: 'b', reason: 'x', count: 1, bytes: 1 },
          { path: 'a', reason: 'x', count: 1, bytes: 1 },
        ],
      },
      rowsOf,
    };
  });

const datesOf = (entries: readonly { readonly date: PartitionDate }[]) => entries.map(({ date }) => date);
const isSorted = (dates: readonly string[]) => dates.every((date, index) => index === 0 || dates[index - 1]! < date);

describe('for any listing, table and request', () => {
  it('takes or leaves every partition listed or published exactly once, in date order', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const plan = makePlan(input);
        const taken = datesOf(plan.partitions);
        const left = datesOf(plan.left);
        expect(isSorted(taken) && isSorted(left)).toBe(true);
        expect(taken.filter((date) => left.includes(date))).toEqual([]);
        const listed = new Map(input.listing.partitions.map((p) => [p.date, p.files]));
        expect(taken.every((date) => listed.has(date))).toBe(true);
        if (input.scope.kind === 'incremental' || ('select' in input.scope && input.scope.select === 'all')) {
          const all = new Set([...listed.keys(), ...input.state.partitions.keys()]);
          expect(new Set([...taken, ...left])).toEqual(all);
        }
        if ('from' in input.scope) {
          expect(taken.length + left.length).toBe(daysBetween(input.scope.from, input.scope.to) + 1);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('takes in an incremental run exactly the window, less what is before the start or in the future', () => {
    fc.assert(
      fc.property(inputs, (given) => {
        const input: PlanInput = { ...given, scope: { kind: 'incremental' } };
        const { start, lookback, future } = input.contract.incremental;
        const { watermark } = input.state;
        const expected = datesOf(input.listing.partitions)
          .filter((date) => watermark === null || daysBetween(date, watermark) <= lookback)
          .filter((date) => start === null || daysBetween(start, date) >= 0)
          .filter((date) => future === 'accept' || daysBetween(input.today, date) <= 1);
        const plan = makePlan(input);
        expect(datesOf(plan.partitions)).toEqual(expected.toSorted());
        for (const { date, reason } of plan.partitions) {
          expect(reason).toBe(input.state.partitions.has(date) ? 'lookback' : 'new');
        }
      }),
      { numRuns: 500 },
    );
  });

  it('never moves the watermark back, and moves it only in incremental runs, to the newest date taken', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const plan = makePlan(input);
        const before = input.state.watermark;
        expect(plan.base.watermark).toBe(before);
        if (before !== null) expect(plan.watermark! >= before).toBe(true);
        if (input.scope.kind === 'backfill' || plan.partitions.length === 0) expect(plan.watermark).toBe(before);
        else expect(plan.watermark).toBe([before ?? '', plan.partitions.at(-1)!.date].toSorted().at(-1));
      }),
      { numRuns: 500 },
    );
  });

  it('makes the same plan whatever the order of the listing', () => {
    const shuffled = inputs.chain((input) =>
      fc
        .tuple(
          fc.shuffledSubarray([...input.listing.partitions], { minLength: input.listing.partitions.length }),
          fc.nat(10),
        )
        .map(([partitions, turn]): [PlanInput, PlanInput] => [
          input,
          {
            ...input,
            state: { ...input.state, partitions: new Map([...input.state.partitions].toReversed()) },
            listing: {
              partitions: partitions.map(({ date, files }) => ({
                date,
                files: [...files.slice(turn % files.length), ...files.slice(0, turn % files.length)],
              })),
              ignored: input.listing.ignored.toReversed(),
            },
          },
        ]),
    );
    fc.assert(
      fc.property(shuffled, ([one, other]) => planDigest(makePlan(one)) === planDigest(makePlan(other))),
      { numRuns: 300 },
    );
  });

  it('orders files by UTF-8 bytes and sums their rows and bytes', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        for (const { files, rows, bytes, fingerprint: digest } of makePlan(input).partitions) {
          const paths = files.map(({ path }) => Buffer.from(path));
          expect(paths.toSorted((a, b) => Buffer.compare(a, b))).toEqual(paths);
          expect(rows).toBe(files.reduce((sum, { path }) => sum + path.length, 0));
          expect(bytes).toBe(files.length * 100);
          expect(digest).toBe(fingerprint(files));
        }
      }),
    );
  });

  it('is plain JSON: a plan read back has the same digest', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const plan = makePlan(input);
        expect(planDigest(JSON.parse(JSON.stringify(plan)) as Plan)).toBe(planDigest(plan));
      }),
    );
  });
});

describe('a fingerprint', () => {
  const files = [file('2026-05-01', 'a.parquet'), file('2026-05-01', 'b.parquet')];

  it('does not depend on order or row counts', () => {
    expect(fingerprint(files.toReversed().map((one) => ({ ...one, rows: 3 })))).toBe(fingerprint(files));
  });

  it('tells apart any change of name, size, time or etag, and a file more or less', () => {
    const [a, b] = files as [SourceFile, SourceFile];
    const others = [
      [a],
      [a, { ...b, size: 101 }],
      [a, { ...b, mtimeNs: '2' }],
      [a, { ...b, path: `${b.path}x` }],
      [a, { path: b.path, size: b.size, etag: 'e' }],
      [a, b, { ...b, path: 'c' }],
    ].map(fingerprint);
    expect(new Set([fingerprint(files), ...others]).size).toBe(others.length + 1);
  });

  it('is stable over releases, since tables remember it', () => {
    expect(fingerprint([{ path: 'date=2026-05-01/ä.parquet', size: 7, mtimeNs: '1780000000000000001' }])).toBe(
      '1425c5c017b9bac8772a629e110ec7709c71e0fe6da84c5de851681384c41c1c',
    );
  });
});

describe('groups', () => {
  const sized = fc.array(fc.record({ bytes: fc.integer({ min: 0, max: 1_000 }), rows: fc.nat(50) }), {
    maxLength: 300,
  });

  it('cover all partitions in order, within the bound, each within the target unless it is one partition', () => {
    fc.assert(
      fc.property(sized, fc.integer({ min: 1, max: 2_000 }), (partitions, targetBytes) => {
        const groups = groupPartitions(partitions, { targetBytes, max: partitions.length + 1 });
        let next = 0;
        for (const { from, to, rows } of groups) {
          expect(from).toBe(next);
          expect(to).toBeGreaterThan(from);
          const members = partitions.slice(from, to);
          expect(rows).toBe(members.reduce((sum, one) => sum + one.rows, 0));
          const bytes = members.reduce((sum, one) => sum + one.bytes, 0);
          expect(to - from === 1 || bytes <= targetBytes).toBe(true);
          next = to;
        }
        expect(next).toBe(partitions.length);
      }),
    );
  });

  it('are never more than the bound', () => {
    fc.assert(
      fc.property(sized, fc.integer({ min: 1, max: 20 }), (partitions, max) => {
        expect(groupPartitions(partitions, { targetBytes: 1, max }).length).toBeLessThanOrEqual(max);
      }),
    );
  });

  it('spread many small partitions, which cost more than their bytes', () => {
    const days = Array.from({ length: 545 }, () => ({ bytes: 5_000, rows: 200 }));
    const groups = groupPartitions(days);
    expect(groups.length).toBeGreaterThanOrEqual(30);
    expect(Math.max(...groups.map(({ from, to }) => to - from))).toBeLessThanOrEqual(16);
    expect(groupPartitions(days.slice(0, 4))).toEqual([{ from: 0, to: 4, rows: 800 }]);
  });

  it('of nothing are none', () => expect(groupPartitions([])).toEqual([]));
});
