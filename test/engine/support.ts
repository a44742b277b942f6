import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Column, Contract, Gate, OrderColumn, Scope } from '../../src/contract/contract';
import type { PartitionDate } from '../../src/discovery/partition-date';
import type { PlannedPartition } from '../../src/discovery/plan-types';
import { resolve } from '../../src/engine/resolve';
import { transformPartitions } from '../../src/engine/transform';
import type { PartitionResolution, PartitionResult, TransformInput } from '../../src/engine';
import { storedRows } from '../../src/engine/footer';
import type { ResolveLimits } from '../../src/engine/resolve';
import { localStore } from '../../src/storage';
import { expectTableEquals, oracle, writeFiles } from '../support/oracle';
import type { Expected, FileToWrite } from '../support/oracle';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export function newFolder(name = 'engine'): string {
  const folder = mkdtempSync(join(tmpdir(), `tidegate-${name}-`));
  folders.push(folder);
  return folder;
}

interface Rules {
  readonly columns: readonly Column[];
  readonly primaryKey?: readonly string[];
  readonly orderBy?: readonly OrderColumn[];
  readonly scope?: Scope;
  readonly gates?: readonly Gate[];
}

/** A contract over columns; by default keyed by `id`, newest `at` first, in scope `partition`. */
export function contractOf(root: string, rules: Rules): Contract {
  return {
    pipeline: 'engine-test',
    source: { path: join(root, 'raw'), partitionColumn: 'date', extraColumns: 'drop', unrecognized: 'warn' },
    columns: rules.columns,
    incremental: { start: null, lookback: 3, reprocess: 'changed', late: 'process', gone: 'keep', future: 'leave' },
    deduplicate: {
      primaryKey: rules.primaryKey ?? ['id'],
      orderBy: rules.orderBy ?? [{ column: 'at', direction: 'desc' }],
      scope: rules.scope ?? 'partition',
    },
    gates: rules.gates ?? [],
    publish: { path: join(root, 'table'), format: 'directory', keep: { versions: 30, days: 7 } },
    engine: { memory: 1024 ** 3 },
    schedule: null,
    notify: { webhook: null },
  };
}

export const int64 = (name: string): Column => ({ name, type: { kind: 'int64' } });
export const float64 = (name: string): Column => ({ name, type: { kind: 'float64' } });
export const text = (name: string): Column => ({ name, type: { kind: 'string' } });

/** Files relative to the raw zone, written there. */
export async function writeZone(
  contract: Contract,
  files: readonly (Omit<FileToWrite, 'path'> & { readonly path: string })[],
): Promise<void> {
  await writeFiles(files.map((file) => ({ ...file, path: join(contract.source.path, file.path) })));
}

const rowsOf = async (path: string): Promise<number> => storedRows(localStore(dirname(path)), basename(path));

/** The plan that discovery would make of these files. */
export async function planOf(contract: Contract, paths: readonly string[]): Promise<PlannedPartition[]> {
  const byDate = new Map<string, string[]>();
  for (const path of paths.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
    const date = path.slice('date='.length, 'date=YYYY-MM-DD'.length);
    byDate.set(date, [...(byDate.get(date) ?? []), path]);
  }
  const partitions: PlannedPartition[] = [];
  for (const [date, own] of [...byDate].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const files = await Promise.all(
      own.map(async (path) => {
        const full = join(contract.source.path, path);
        const [{ size, mtimeNs }, rows] = await Promise.all([stat(full, { bigint: true }), rowsOf(full)]);
        return { path, size: Number(size), mtimeNs: String(mtimeNs), rows };
      }),
    );
    partitions.push({
      date: date as PartitionDate,
      reason: 'new',
      files,
      fingerprint: 'test',
      rows: files.reduce((sum, { rows }) => sum + rows, 0),
      bytes: files.reduce((sum, { size }) => sum + size, 0),
    });
  }
  return partitions;
}

export interface EngineRun {
  readonly resolutions: readonly PartitionResolution[];
  readonly results: readonly PartitionResult[];
  /** Holds `curated/` and `quarantine/`. */
  readonly staging: string;
}

/** As the directory format has it. */
export const stagedPath: TransformInput['outputPath'] = ({ kind, date, run, attempt, n }) =>
  `_staging/${run}/${attempt}/${kind}/date=${date}/part-${run}-${attempt}-${n}.parquet`;

let attempts = 0;

/**
 * One run of the engine over the whole plan.
 * @param keys are resolved before, or (in scope `partition`) along with the one pass over each partition.
 */
export async function runEngine(
  contract: Contract,
  partitions: readonly PlannedPartition[],
  limits?: ResolveLimits,
  keys: 'before' | 'along' = 'before',
): Promise<EngineRun> {
  const attempt = `attempt-${attempts++}`;
  const staging = join(contract.publish.path, '_staging', 'run', attempt);
  const directory = join(contract.publish.path, '_runs', attempt);
  const sourceRoot = contract.source.path;
  await mkdir(directory, { recursive: true });
  const resolutions =
    keys === 'before' ? await resolve({ contract, sourceRoot, partitions, directory }, {}, limits) : [];
  const results = await transformPartitions(
    partitions.map((partition, i) => ({
      contract,
      sourceRoot,
      partition,
      resolution: resolutions[i] ?? null,
      resolutionDir: directory,
      tableRoot: contract.publish.path,
      outputPath: stagedPath,
      run: 'run',
      attempt,
    })),
  );
  return { resolutions, results, staging };
}

export function expectCounts(results: readonly PartitionResult[], expected: Expected): void {
  expect(Object.fromEntries(results.map(({ date, counts }) => [date, counts]))).toEqual(expected.counts);
  for (const { counts, curated, quarantine } of results) {
    expect(counts.read).toBe(counts.superseded + counts.quarantined + counts.published);
    // No empty files.
    expect([...curated, ...quarantine].every(({ rows, size }) => rows > 0 && size > 0)).toBe(true);
  }
}

/** Runs the engine over files and holds rows, order and counts against the oracle. */
export async function expectLikeOracle(
  contract: Contract,
  paths: readonly string[],
  limits?: ResolveLimits,
): Promise<{ expected: Expected; run: EngineRun }> {
  const plan = await planOf(contract, paths);
  const [expected, run] = await Promise.all([oracle({ contract }), runEngine(contract, plan, limits)]);
  expectCounts(run.results, expected);
  await expectTableEquals(run.staging, expected);
  if (contract.deduplicate.scope === 'partition') {
    const along = await runEngine(contract, plan, undefined, 'along');
    expectCounts(along.results, expected);
    await expectTableEquals(along.staging, expected);
  }
  return { expected, run };
}
