import type { PartitionDate } from '../../discovery/partition-date';
import { QuarantineColumn } from '../../engine/types';
import type { Report } from '../../quality';
import type { ObjectStore } from '../../storage';
import { forEachInFlight } from '../in-flight';
import type { Commit, OutputKind, PartitionState, VerifyFault, VerifyOptions, VerifyReport } from '../table';
import { checkBytes, checkFile, type FileVerdict } from './check-file';
import { reportFaults, stateFaults, violationFaults } from './check-state';

/** Files decoded at once: each may hold a row group in memory. */
const LANES = 3;
const KINDS: readonly OutputKind[] = ['curated', 'quarantine'];

/** A version as its documents tell it, of any format. */
export interface VersionContent {
  readonly commit: Commit;
  /** The commit before it. */
  readonly previous: Commit | null;
  readonly partitions: ReadonlyMap<PartitionDate, PartitionState>;
  readonly report: Report;
  /** Over the table's root. */
  readonly store: ObjectStore;
  /** The key of a file that the state names by `path`. */
  readonly keyOf: (path: string) => string;
  /** Names of the declared columns in order; null when the version was made under other ones. */
  readonly columns: readonly string[] | null;
}

/** Reads a version whole and holds it against its documents: what `verify` does for every format. */
export async function verifyContent(
  content: VersionContent,
  { signal, onProgress }: Pick<VerifyOptions, 'signal' | 'onProgress'>,
): Promise<VerifyReport> {
  const { commit, partitions, report, previous, store, keyOf, columns } = content;
  const faults: VerifyFault[] = [
    ...stateFaults(commit, partitions.values()),
    ...reportFaults(commit, report, partitions, previous),
  ];
  const files = [...partitions.values()].flatMap((partition) =>
    KINDS.flatMap((kind) => partition[kind].map((file) => ({ partition, kind, file, key: keyOf(file.path) }))),
  );
  const rejected = new Map<PartitionDate, FileVerdict['violations'][]>();
  const columnsOf = { curated: columns, quarantine: columns && [...columns, ...Object.values(QuarantineColumn)] };
  let done = 0;
  const check = async ({ partition, kind, file, key }: (typeof files)[number]): Promise<void> => {
    const quarantine = kind === 'quarantine';
    const verdict = await checkFile({ store, key, file, columns: columnsOf[kind], quarantine, signal });
    faults.push(...verdict.faults.map((fault) => ({ ...fault, path: key, date: partition.date })));
    if (quarantine) rejected.set(partition.date, [...(rejected.get(partition.date) ?? []), verdict.violations]);
    onProgress?.({ phase: 'verifying', done: ++done, total: files.length });
  };
  await forEachInFlight(files, check, signal, LANES);
  const verdicts = [...partitions.values()].flatMap(({ date, verdicts: own }) => own.map((file) => ({ date, file })));
  const checkVerdicts = async ({ date, file }: (typeof verdicts)[number]): Promise<void> => {
    const key = keyOf(file.path);
    const fault = await checkBytes({ store, key, file, signal });
    if (fault !== null) faults.push({ ...fault, path: key, date });
  };
  await forEachInFlight(verdicts, checkVerdicts, signal);
  for (const partition of partitions.values()) {
    const found = rejected.get(partition.date) ?? [];
    // A file that could not be read has its own fault.
    if (!found.includes(null)) faults.push(...violationFaults(partition, sumOf(found)));
  }
  return {
    version: commit.version,
    partitions: partitions.size,
    files: files.length,
    bytes: files.reduce((sum, { file }) => sum + file.size, 0),
    rows: files.reduce((sum, { file }) => sum + file.rows, 0),
    withoutDigest: files.filter(({ file }) => file.sha256 === undefined).length,
    faults: faults.toSorted((a, b) => order(a) - order(b) || compare(a.date, b.date) || compare(a.path, b.path)),
  };
}

function sumOf(maps: readonly FileVerdict['violations'][]): Map<string, number> {
  const sum = new Map<string, number>();
  for (const map of maps) for (const [gate, count] of map ?? []) sum.set(gate, (sum.get(gate) ?? 0) + count);
  return sum;
}

const ORDER: readonly VerifyFault['check'][] = [
  'file',
  'digest',
  'rows',
  'schema',
  'statistics',
  'conservation',
  'state',
  'report',
];
const order = ({ check }: VerifyFault): number => ORDER.indexOf(check);
const compare = (a: string | null, b: string | null): number =>
  (a ?? '') < (b ?? '') ? -1 : (a ?? '') > (b ?? '') ? 1 : 0;
