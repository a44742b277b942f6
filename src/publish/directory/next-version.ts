import { join } from 'node:path';
import { TerminalError } from '../../errors';
import type { OutputFile, PartitionResult } from '../../engine/types';
import { commitOf } from '../commit-of';
import type { Commit, PartitionState, PublishInput, FileKind } from '../table';
import type { Partitions } from './documents';
import { FILE_KINDS, STAGING, versionTarget } from './layout';

/** A file of a version: where it lies now, and where in the version's folder it will. */
export interface PlacedFile {
  /** Relative to the table's root. */
  readonly from: string;
  /** Relative to the version's folder. */
  readonly to: string;
}

/** A version before it is built: pure values. */
export interface NextVersion {
  readonly commit: Commit;
  /** In date order. */
  readonly partitions: Partitions;
  /** The run's own files, from staging. */
  readonly staged: readonly (PlacedFile & { readonly size: number })[];
  /** All other files, from an earlier version: the one before, or the one that is restored. */
  readonly carried: readonly PlacedFile[];
}

/** What the table becomes: the base's partitions, those of the run replaced, those it removes left out. */
export function nextVersion(base: Partitions, input: PublishInput, now: Date): NextVersion {
  const { plan, results } = input;
  const version = plan.base.version + 1;
  const column = plan.contract.source.partitionColumn;
  const planned = new Map(plan.partitions.map((partition) => [partition.date, partition]));
  const staged: (PlacedFile & { size: number })[] = [];
  const place = (kind: FileKind, result: PartitionResult): OutputFile[] =>
    (result[kind] ?? []).map((file) => {
      const to = placeOf(file, { run: input.run, kind, folder: `${column}=${result.date}` });
      staged.push({ from: file.path, to, size: file.size });
      return { ...file, path: to };
    });

  const partitions = new Map(base);
  for (const { date } of plan.removed) partitions.delete(date);
  for (const result of results) {
    const source = planned.get(result.date)!;
    const state: PartitionState = {
      date: result.date,
      version,
      rowsDigest: plan.digests.rows,
      fingerprint: source.fingerprint,
      counts: result.counts,
      ...(result.undecided !== undefined && { undecided: result.undecided }),
      files: source.files,
      curated: place('curated', result),
      quarantine: place('quarantine', result),
      verdicts: place('verdicts', result),
    };
    partitions.set(result.date, state);
  }
  const ordered = new Map([...partitions].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const carried = [...ordered.values()]
    .filter((partition) => partition.version !== version)
    .flatMap((partition) => FILE_KINDS.flatMap((kind) => partition[kind]))
    .map(({ path }) => ({ from: join(versionTarget(version - 1), path), to: path }));
  return { commit: commitOf(version, input, now), partitions: ordered, staged, carried };
}

const ATTEMPT = /^[0-9A-Za-z][0-9A-Za-z-]*$/;
const NAME = { parquet: /^part-[0-9A-Za-z-]+\.parquet$/, rows: /^part-[0-9A-Za-z-]+\.rows$/ };

/** Where a staged file goes. Its path comes out of a file and is held to its one form: nothing else is ever linked. */
function placeOf(file: OutputFile, expected: { run: string; kind: FileKind; folder: string }): string {
  const form = NAME[expected.kind === 'verdicts' ? 'rows' : 'parquet'];
  const [staging, run, attempt, kind, folder, name, ...rest] = file.path.split('/');
  const fits =
    staging === STAGING &&
    run === expected.run &&
    kind === expected.kind &&
    folder === expected.folder &&
    rest.length === 0 &&
    ATTEMPT.test(attempt ?? '') &&
    form.test(name ?? '');
  if (fits) return `${kind}/${folder}/${name}`;
  throw new TerminalError(
    'ConservationError',
    `the result names "${file.path}"; expected ${STAGING}/${expected.run}/<attempt>/${expected.kind}/${expected.folder}/part-….parquet. Nothing was published. This is a fault in Tidegate, please report it.`,
  );
}
