import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { type CountedFile, type SourceFile, fingerprint } from './manifest';
import { byPath, compareBytes } from './order';
import type { PartitionDate } from './partition-date';
import type { Plan, PlannedPartition, PlanScope } from './plan-types';
import { type SelectedPartition, type Selection, type SelectionInput, selectPartitions } from './selection';
import { windowStart } from './window';

export interface PlanInput extends SelectionInput {
  /** Rows of a selected file, from its footer. */
  readonly rowsOf: (file: SourceFile) => number;
  /** The selection already made of this very input, to spare making it twice. */
  readonly selection?: Selection;
}

/**
 * The plan of a run: a pure function of its input, the same whatever the order of the listing.
 * @throws TerminalError as {@link selectPartitions} does.
 */
export function makePlan(input: PlanInput): Plan {
  const { contract, digests, scope, state, listing } = input;
  const { taken, removed, left } = input.selection ?? selectPartitions(input);
  const partitions = taken.map((partition) => planned(partition, input.rowsOf));
  return {
    formatVersion: 1,
    pipeline: contract.pipeline,
    scope,
    base: { version: state.version, watermark: state.watermark },
    windowFrom: scope.kind === 'incremental' ? windowStart(state.watermark, contract.incremental.lookback) : null,
    watermark: watermarkAfter(scope, state.watermark, partitions),
    partitions,
    removed,
    left,
    ignored: listing.ignored.toSorted((a, b) => byPath(a, b) || compareBytes(a.reason, b.reason)),
    contract,
    digests,
  };
}

/** SHA-256, in hex, of the plan's canonical JSON (RFC 8785), but for where an attempt put what it rebuilt. */
export function planDigest(plan: Plan): string {
  const text = canonicalize({
    ...plan,
    partitions: plan.partitions.map(({ rebuilt: _rebuilt, ...partition }) => partition),
  });
  if (text === undefined) throw new TypeError('a plan is plain JSON');
  return createHash('sha256').update(text).digest('hex');
}

function planned({ date, reason, files: listed }: SelectedPartition, rowsOf: PlanInput['rowsOf']): PlannedPartition {
  const files: CountedFile[] = listed.toSorted(byPath).map((file) => ({ ...file, rows: rowsOf(file) }));
  return {
    date,
    reason,
    files,
    fingerprint: fingerprint(files),
    rows: files.reduce((sum, file) => sum + file.rows, 0),
    bytes: files.reduce((sum, file) => sum + file.size, 0),
  };
}

/** The greatest date an incremental run has consumed; backfills do not move it (SEMANTICS 3.5). */
function watermarkAfter(
  scope: PlanScope,
  before: PartitionDate | null,
  taken: readonly PlannedPartition[],
): PartitionDate | null {
  const newest = taken.at(-1)?.date;
  if (scope.kind !== 'incremental' || newest === undefined) return before;
  return before === null || newest > before ? newest : before;
}
