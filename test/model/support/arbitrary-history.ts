import fc from 'fast-check';
import { CRASHES } from '../../support/fs-faults';
import { RUN_ACTIVITIES } from '../../support/run-pipeline';
import {
  type Content,
  DAYS,
  FILES,
  type GateName,
  type History,
  type Line,
  ROW_GATE_NAMES,
  type RawStep,
  type Rules,
  type RunStep,
  type Step,
  UNIQUE_GATE_NAMES,
} from './history';

/** So few values that everything collides. */
const crowded: fc.Arbitrary<Line> = fc.tuple(
  fc.constantFrom('1', '2', '3', null),
  fc.constantFrom('0.0', '-0.0', 'nan', null),
  fc.constantFrom('1', '2', 'nan', null),
  fc.constantFrom('1', '2', null),
  fc.constantFrom('1', '-1', 'nan', 'inf', '-0.0', null),
  fc.constantFrom('a', "b'c", 'ü', null),
);

/** So many that some are alone, and that two which meet part again when one goes. */
const sparse: fc.Arbitrary<Line> = fc.tuple(
  fc.integer({ min: 1, max: 9 }).map(String),
  fc.constantFrom('0.0', '1.5', '2.5', 'nan'),
  fc.constantFrom('1', '2', '3'),
  fc.constantFrom('1', '2'),
  fc.constantFrom('1', '2', '3'),
  fc.constantFrom('a', 'd', 'e', 'f', 'g', 'h', 'i', 'j'),
);

const content: fc.Arbitrary<Content> = fc.record({
  lines: fc.oneof(fc.array(crowded, { maxLength: 6 }), fc.array(sparse, { maxLength: 5 })),
  stored: fc.constantFrom('none', 'none', 'same', 'other'),
  writer: fc.constantFrom('pyarrow', 'duckdb'),
});

/** Mostly the first ones: partitions are then changed, not only made. */
const day = fc.oneof(
  { weight: 3, arbitrary: fc.nat({ max: 2 }) },
  { weight: 1, arbitrary: fc.nat({ max: DAYS.length - 1 }) },
);
const file = fc.nat({ max: FILES.length - 1 });
/** Mostly the first names: files are then rewritten, and partitions have few. The last two are in order by their bytes only. */
const usualFile = fc.oneof(
  { weight: 4, arbitrary: fc.nat({ max: 1 }) },
  { weight: 1, arbitrary: file },
  { weight: 1, arbitrary: fc.integer({ min: FILES.length - 2, max: FILES.length - 1 }) },
);

const put: fc.Arbitrary<Put> = fc.record({ do: fc.constant('put'), day, file: usualFile, content });
const rawStep: fc.Arbitrary<RawStep> = fc.oneof(
  { weight: 6, arbitrary: put },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('drop'), day, file: usualFile }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('dropDay'), day }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restore'), nth: fc.nat({ max: 20 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('move'), day, file: usualFile, to: day }) },
);

const activity = fc.constantFrom(...RUN_ACTIVITIES.slice(0, -1));
const crash: fc.Arbitrary<NonNullable<RunStep['crash']>> = fc.record({
  activity: fc.oneof({ weight: 2, arbitrary: activity }, { weight: 1, arbitrary: fc.constant('publish') }),
  doom: fc.record({ at: fc.nat({ max: 90 }), mode: fc.constantFrom(...CRASHES) }),
  next: fc.constantFrom('retry', 'rerun', 'abandon'),
});
const meanwhile = fc.record({
  before: activity,
  change: fc.oneof<fc.MaybeWeightedArbitrary<NonNullable<RunStep['meanwhile']>['change']>[]>(
    { weight: 3, arbitrary: rawStep },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('incremental', 'backfill all') }) },
  ),
});
const groups = fc.constantFrom('planned', 'each, backwards', 'each, at once');

/** Once in so many. */
const rare = <T>(arbitrary: fc.Arbitrary<T>, times: number): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: times - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
/** Without what is undefined, as JSON has it: what is replayed is what ran. */
const plain = <T>(record: fc.Arbitrary<object>): fc.Arbitrary<T> =>
  record.map((value) => Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as T);

const how = { crash: rare(crash, 2), meanwhile: rare(meanwhile, 6), groups: rare(groups, 2) };
const runStep: fc.Arbitrary<RunStep> = fc.oneof(
  { weight: 8, arbitrary: plain<RunStep>(fc.record({ do: fc.constant('incremental'), ...how })) },
  { weight: 3, arbitrary: plain<RunStep>(fc.record({ do: fc.constant('backfill'), from: day, to: day, ...how })) },
  { weight: 1, arbitrary: plain<RunStep>(fc.record({ do: fc.constant('backfill all'), ...how })) },
  { weight: 1, arbitrary: plain<RunStep>(fc.record({ do: fc.constant('backfill stale'), ...how })) },
  {
    weight: 1,
    arbitrary: plain<RunStep>(
      fc.record({
        do: fc.constant('rollback'),
        from: fc.nat({ max: 2 }),
        crash: rare(
          crash.map((one) => ({ ...one, activity: 'rollback' as const })),
          2,
        ),
      }),
    ),
  },
);

const orderColumn = fc.record({
  column: fc.constantFrom('updated', 'seq'),
  direction: fc.constantFrom('desc', 'asc'),
});
const rowGates = fc.subarray(ROW_GATE_NAMES, { maxLength: 3 });
const uniqueGates = fc.uniqueArray(fc.constantFrom('receipt', 'receipt', ...UNIQUE_GATE_NAMES), {
  maxLength: 2,
  size: 'max',
});
const gates: fc.Arbitrary<GateName[]> = fc
  .tuple(rowGates, uniqueGates, fc.boolean())
  .map(([rows, unique, uniqueFirst]) => (uniqueFirst ? [...unique, ...rows] : [...rows, ...unique]));
const orderBy = fc.uniqueArray(orderColumn, { minLength: 1, maxLength: 2, selector: ({ column }) => column });
const key = fc.constantFrom<Rules['key']>(['id'], ['id', 'part'], ['part']);
const lookback = fc.constantFrom(0, 1, 3);
const memory = fc.constantFrom(1024 ** 3, 4096);
const reprocess = fc.constantFrom('changed', 'changed', 'always');

/** Contracts of one scope. */
export const rulesFor = (...scopes: readonly Rules['scope'][]): fc.Arbitrary<Rules> =>
  fc.record({
    key,
    orderBy,
    scope: fc.constantFrom(...scopes),
    lookback,
    reprocess,
    gone: fc.constant('remove'),
    memory,
    gates,
  });

type Put = Extract<RawStep, { do: 'put' }>;
/** Files of different places, of the first three names. */
export const batchOfFiles: fc.Arbitrary<Put[]> = fc.uniqueArray(
  fc.record({ do: fc.constant('put'), day, file: fc.nat({ max: 2 }), content }),
  { minLength: 2, maxLength: 8, size: 'max', selector: (one) => `${one.day}/${one.file}` },
);

const PLACES = DAYS.flatMap((_, inDay) => FILES.map((__, nth) => ({ day: inDay, file: nth })));
/** So many files, each in a place of its own, in any order. */
export const filesInPlaces = (count: number): fc.Arbitrary<Put[]> =>
  fc
    .tuple(
      fc.shuffledSubarray(PLACES, { minLength: count, maxLength: count }),
      fc.array(content, { minLength: count, maxLength: count }),
    )
    .map(([places, contents]) =>
      places.map((place, index): Put => ({ do: 'put', ...place, content: contents[index]! })),
    );

export const shuffled = <T>(all: readonly T[]): fc.Arbitrary<T[]> =>
  fc.shuffledSubarray([...all], { minLength: all.length, maxLength: all.length });

/** The same histories, but that what is gone is kept, and the raw zone holds still while a run is under way. */
export const keepingWhatIsGone = (all: fc.Arbitrary<History>): fc.Arbitrary<History> =>
  all.map(({ rules, steps, ...history }) => ({
    ...history,
    rules: { ...rules, gone: 'keep' },
    steps: steps.map((step) => {
      if (!('meanwhile' in step)) return step;
      const { meanwhile: _, ...still } = step;
      return still;
    }),
  }));

/** Histories of a pipeline with one of these scopes. */
export function histories(scopes: readonly Rules['scope'][], longest = 12): fc.Arbitrary<History> {
  const scope = fc.constantFrom(...scopes);
  const contract: fc.Arbitrary<Step> = fc.record({
    do: fc.constant('contract'),
    rules: fc.oneof<fc.MaybeWeightedArbitrary<Partial<Rules>>[]>(
      { weight: 3, arbitrary: fc.record({ gates }) },
      { weight: 1, arbitrary: fc.record({ orderBy }) },
      { weight: 1, arbitrary: fc.record({ scope, key }) },
    ),
  });
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 10, arbitrary: rawStep },
    { weight: 8, arbitrary: runStep },
    { weight: 1, arbitrary: contract },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('vacuum', 'lose indexes') }) },
  );
  return fc
    .record({
      format: fc.constantFrom('directory', 'delta'),
      rules: rulesFor(...scopes),
      first: fc.array(put, { minLength: 1, maxLength: 5 }),
      steps: fc.array(step, { maxLength: longest, size: 'max' }),
    })
    .map(({ first, steps, ...history }) => ({ ...history, steps: [...first, ...steps] }));
}
