import fc from 'fast-check';
import type { Scope } from '../../src/contract';
import {
  type Decision,
  type IncrementalScope,
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
/** Policies that the scope allows. */
const policies = fc.constantFrom<Scope>('table', 'partition', 'window').chain((scope) =>
  fc.record({
    scope: fc.constant(scope),
    reprocess: fc.constantFrom('changed' as const, 'always' as const),
    late:
      scope === 'table'
        ? fc.constant('process' as const)
        : fc.constantFrom('process' as const, 'hold' as const, 'ignore' as const),
    gone:
      scope === 'table'
        ? fc.constantFrom('keep' as const, 'remove' as const)
        : fc.constantFrom('keep' as const, 'remove' as const, 'hold' as const),
  }),
);
const decisions: fc.Arbitrary<Decision | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.constant('all' as const),
  fc.array(offset, { maxLength: 5 }).map((offsets) => offsets.map((days) => addDays(BASE, days))),
);
const partition = fc.record({ offset, names, version: fc.integer({ min: 1, max: 3 }) });
const scopes: fc.Arbitrary<PlanScope> = fc.oneof(
  fc.record({ includeLate: decisions, removeGone: decisions }).map(({ includeLate, removeGone }): PlanScope => ({
    kind: 'incremental',
    ...(includeLate !== undefined && { includeLate }),
    ...(removeGone !== undefined && { removeGone }),
  })),
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
    consumed: fc.uniqueArray(fc.tuple(partition, fc.boolean(), fc.constantFrom(undefined, undefined, undefined, 2)), {
      selector: ([p]) => p.offset,
      maxLength: 15,
    }),
    watermark: fc.option(offset),
    start: fc.option(offset),
    lookback: fc.integer({ min: 0, max: 10 }),
    future: fc.constantFrom('leave' as const, 'accept' as const),
    today: offset,
    scope: scopes,
    policy: policies,
  })
  .map(({ listed, consumed, watermark, start, lookback, future, today, scope: asked, policy }) => {
    const { scope: over, reprocess, late, gone } = policy;
    const { includeLate: _, ...withoutLate } = asked as IncrementalScope;
    const scope = over === 'window' && asked.kind === 'incremental' ? withoutLate : asked;
    const dated = (days: number) => addDays(BASE, days);
    const state: PlanState = {
      version: consumed.length,
      watermark: watermark === null ? null : dated(watermark),
      commit: consumed.length === 0 ? null : { digests },
      partitions: new Map(
        consumed.map(([p, isStale, undecided]) => [
          dated(p.offset),
          {
            fingerprint: fingerprint(filesOf(dated(p.offset), p)),
            rowsDigest: isStale ? 'earlier' : digests.rows,
            ...(undecided !== undefined && { undecided }),
          },
        ]),
      ),
    };
    return {
      contract: {
        ...contract,
        deduplicate: { ...contract.deduplicate, scope: over },
        incremental: {
          start: start === null ? null : dated(start),
          lookback,
          reprocess,
          late,
          // An empty raw zone empties no table by policy: that is refused.
          gone: listed.length === 0 && gone === 'remove' ? ('keep' as const) : gone,
          future,
        },
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

/** The same, asked for an incremental run. */
const incremental = inputs.map((input) => ({
  ...input,
  scope: input.scope.kind === 'incremental' ? input.scope : ({ kind: 'incremental' } satisfies IncrementalScope),
}));

const datesOf = (entries: readonly { readonly date: PartitionDate }[]) => entries.map(({ date }) => date);
const isSorted = (dates: readonly string[]) => dates.every((date, index) => index === 0 || dates[index - 1]! < date);

describe('for any listing, table and request', () => {
  it('takes, removes or leaves every partition listed or published exactly once, in date order', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const plan = makePlan(input);
        const [taken, removed, left] = [plan.partitions, plan.removed, plan.left].map(datesOf) as [
          PartitionDate[],
          PartitionDate[],
          PartitionDate[],
        ];
        expect([taken, removed, left].every(isSorted)).toBe(true);
        expect(new Set([...taken, ...removed, ...left]).size).toBe(taken.length + removed.length + left.length);
        const listed = new Map(input.listing.partitions.map((p) => [p.date, p.files]));
        expect(taken.every((date) => listed.has(date))).toBe(true);
        expect(removed.every((date) => !listed.has(date) && input.state.partitions.has(date))).toBe(true);
        const all = new Set([...listed.keys(), ...input.state.partitions.keys()]);
        const judged = new Set([...taken, ...removed, ...left]);
        if (input.scope.kind === 'incremental') {
          const named = [input.scope.includeLate ?? [], input.scope.removeGone ?? []].flat();
          expect(judged).toEqual(new Set([...all, ...named.filter((date): date is PartitionDate => date !== 'all')]));
        } else if ('select' in input.scope) {
          if (input.scope.select === 'all') expect(judged).toEqual(all);
        } else {
          const { from, to } = input.scope;
          const inRange = [...judged].filter((date) => date >= from && date <= to);
          expect(inRange).toHaveLength(daysBetween(from, to) + 1);
          for (const date of judged) {
            if (inRange.includes(date)) continue;
            expect(plan.partitions.find((one) => one.date === date)?.reason).toBe('changed');
            expect(input.contract.deduplicate.scope).toBe('table');
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('takes in an incremental run exactly what the policies say, and tells of the rest whether it is unchanged', () => {
    fc.assert(
      fc.property(incremental, (input) => {
        const { scope: asked, contract: ruled, state } = input;
        const { start, lookback, future, late, gone, reprocess } = ruled.incremental;
        const over = ruled.deduplicate.scope;
        const decided = (decision: Decision | undefined, date: PartitionDate) =>
          decision === 'all' || (decision ?? []).includes(date);
        const inWindow = (date: PartitionDate) =>
          state.watermark === null || daysBetween(date, state.watermark) <= lookback;
        const open = (date: PartitionDate) =>
          (start === null || daysBetween(start, date) >= 0) &&
          (future === 'accept' || daysBetween(input.today, date) <= 1);
        const listed = new Map(input.listing.partitions.map((p) => [p.date, fingerprint(p.files)]));
        const all = [...listed.keys()];
        const moved = all.filter((date) => {
          const before = state.partitions.get(date);
          return before?.fingerprint !== listed.get(date) || before?.undecided !== undefined;
        });
        const missing = [...state.partitions.keys()].filter((date) => !listed.has(date));
        const removed = missing.filter((date) => gone === 'remove' || decided(asked.removeGone, date));
        const byItself = moved.filter((date) => {
          if (over === 'table') return open(date) || state.partitions.has(date);
          if (over === 'window') return open(date) && inWindow(date);
          return open(date) && (inWindow(date) || late === 'process' || decided(asked.includeLate, date));
        });
        const wholeWindow = reprocess === 'always' || (over === 'window' && [...byItself, ...removed].some(inWindow));
        const again = all.filter((date) => !moved.includes(date) && wholeWindow && open(date) && inWindow(date));

        const plan = makePlan(input);
        expect(datesOf(plan.partitions)).toEqual([...byItself, ...again].toSorted());
        expect(datesOf(plan.removed)).toEqual(removed.toSorted());
        for (const { date, reason } of plan.partitions) {
          const before = state.partitions.get(date);
          if (again.includes(date)) expect(reason).toBe('lookback');
          else if (before !== undefined) expect(reason).toBe(inWindow(date) ? 'changed' : 'late');
          else expect(reason).toBe(inWindow(date) ? 'new' : 'late');
        }
        for (const { date, reason } of plan.left) {
          if (listed.has(date)) expect([date, reason === 'unchanged']).toEqual([date, !moved.includes(date)]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('has nothing to do once what it took is consumed, unless all is to be taken again', () => {
    fc.assert(
      fc.property(incremental, (input) => {
        fc.pre(input.contract.incremental.reprocess === 'changed');
        const plan = makePlan(input);
        const consumed = new Map(input.state.partitions);
        for (const { date } of plan.removed) consumed.delete(date);
        for (const { date, fingerprint: digest } of plan.partitions) {
          consumed.set(date, { fingerprint: digest, rowsDigest: digests.rows });
        }
        const next = makePlan({
          ...input,
          state: { ...input.state, version: 9, commit: { digests }, watermark: plan.watermark, partitions: consumed },
        });
        expect([...next.partitions, ...next.removed]).toEqual([]);
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
