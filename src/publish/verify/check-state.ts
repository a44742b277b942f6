import canonicalize from 'canonicalize';
import type { PartitionDate } from '../../discovery/partition-date';
import { fingerprint } from '../../discovery';
import type { OutputFile } from '../../engine/types';
import { type Counts, type Report, type ReportCounts, reported, sumReported } from '../../quality';
import type { Commit, PartitionState, VerifyCheck, VerifyFault } from '../table';

/** What the state of a version says of each partition, held against itself. */
export function stateFaults(commit: Commit, partitions: Iterable<PartitionState>): VerifyFault[] {
  return [...partitions].flatMap((partition) => [
    ...conservationFaults(partition),
    ...checkThat(partition.date, 'state', [
      [
        partition.fingerprint === fingerprint(partition.files),
        `the fingerprint is not that of the manifest: expected ${fingerprint(partition.files)}, found ${partition.fingerprint}`,
      ],
      [
        partition.version <= commit.version,
        `it was written by version ${partition.version}, which is later than version ${commit.version}`,
      ],
    ]),
  ]);
}

/** Every row is accounted for, and the files hold just as many (SEMANTICS 6.1). */
function conservationFaults({ date, counts, files, curated, quarantine }: PartitionState): VerifyFault[] {
  const { read, superseded, quarantined, published } = counts;
  return checkThat(date, 'conservation', [
    [
      read === superseded + quarantined + published,
      `${read} rows were read, but ${superseded} superseded + ${quarantined} quarantined + ${published} published = ${superseded + quarantined + published}`,
    ],
    [rowsOf(files) === read, `${read} rows were read, but its source files had ${rowsOf(files)}`],
    [rowsOf(curated) === published, `${published} rows are published, but its curated files have ${rowsOf(curated)}`],
    [
      rowsOf(quarantine) === quarantined,
      `${quarantined} rows are quarantined, but its quarantine files have ${rowsOf(quarantine)}`,
    ],
  ]);
}

const rowsOf = (files: readonly Pick<OutputFile, 'rows'>[]): number => files.reduce((sum, { rows }) => sum + rows, 0);

/** Gates that the quarantined rows of a partition name, against its counts. */
export function violationFaults({ date, counts }: PartitionState, found: ReadonlyMap<string, number>): VerifyFault[] {
  const gates = [...new Set([...Object.keys(counts.violations), ...found.keys()])];
  return checkThat(
    date,
    'conservation',
    gates.map((gate) => {
      const expected = Object.hasOwn(counts.violations, gate) ? counts.violations[gate]! : 0;
      const has = found.get(gate) ?? 0;
      return [has === expected, `${has} quarantined rows name the gate ${gate}; the counts say ${expected}`];
    }),
  );
}

/** The commit and its report, against each other and the content; the commit before it, against what this one began with. */
export function reportFaults(
  commit: Commit,
  report: Report,
  partitions: ReadonlyMap<PartitionDate, PartitionState>,
  previous: Commit | null,
): VerifyFault[] {
  const own = [...partitions.values()].filter(({ version }) => version === commit.version);
  const isRollback = commit.scope.kind === 'rollback';
  const told = report.partitions.map(({ date }) => date);
  const said = { ...report, totals: pick(report.totals) };
  const faults = report.partitions.flatMap(({ date, undecided, ...counts }) => {
    const state = partitions.get(date);
    const written = state !== undefined && (isRollback || state.version === commit.version);
    return checkThat(date, 'report', [
      [
        written,
        `the report says it was ${isRollback ? 'restored' : 'written'} by version ${commit.version}; it was not`,
      ],
      [!written || same(pick(counts), pick(state.counts)), 'the report counts other rows than the content has'],
      [
        // Reports of before undecided rows were told say nothing of them.
        !written || undecided === state.undecided || (undecided === undefined && report.totals.undecided === undefined),
        `the report has ${undecided ?? 0} undecided rows, the state ${state?.undecided ?? 0}`,
      ],
    ]);
  });
  const still = report.removed.filter(({ date }) => partitions.has(date)).map(({ date }) => date);
  const taken = isRollback ? told.length + report.left.length : own.length;
  return [
    ...faults,
    ...checkThat(null, 'report', [
      ...(['requestId', 'pipeline', 'planDigest', 'scope', 'watermark', 'totals'] as const).map(
        (name) =>
          [
            same(commit[name], said[name]),
            `${name}: the commit has ${text(commit[name])}, the report ${text(said[name])}`,
          ] as const,
      ),
      [isRollback || own.length === told.length, `it names ${told.length} partitions; the version wrote ${own.length}`],
      [still.length === 0, `it says that these partitions were removed; they are there: ${still.join(', ')}`],
      [
        report.removed.length === (commit.removed ?? 0),
        `it names ${report.removed.length} removed partitions; the commit counts ${commit.removed ?? 0}`,
      ],
      [taken === commit.partitions, `the commit counts ${commit.partitions} partitions; ${taken} were rewritten`],
      [
        same(report.totals, sumReported(Object.keys(commit.totals.violations), report.partitions.map(counted))),
        'the totals are not the sum of the partitions',
      ],
    ]),
    ...checkThat(null, 'state', [
      [
        (previous?.watermark.after ?? null) === commit.watermark.before,
        `the commit began with the watermark ${commit.watermark.before}; the version before it ended with ${previous?.watermark.after ?? null}`,
      ],
    ]),
  ];
}

/** What a report counts of a partition, alone. */
const counted = (partition: ReportCounts): ReportCounts => reported({ ...partition, counts: pick(partition) });

/** The counts alone. */
function pick(counts: Counts): Counts {
  const { read, superseded, ambiguous, unrecoverable, quarantined, published, misfiled, violations } = counts;
  const more = unrecoverable === undefined ? {} : { unrecoverable };
  return { read, superseded, ambiguous, ...more, quarantined, published, misfiled, violations };
}

function checkThat(
  date: PartitionDate | null,
  check: VerifyCheck,
  facts: readonly (readonly [holds: boolean, otherwise: string])[],
): VerifyFault[] {
  return facts.filter(([holds]) => !holds).map(([, message]) => ({ check, path: null, date, message }));
}

const same = (a: unknown, b: unknown): boolean => canonicalize(a) === canonicalize(b);
const text = (value: unknown): string => JSON.stringify(value);
