import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DataFrame, Expr } from 'nodejs-polars';
import type { CountedFile } from '../../discovery/manifest';
import type { RebuiltPartition } from '../../discovery/plan-types';
import { TerminalError, messageOf } from '../../errors';
import type { PartitionState } from '../../publish/table';
import { causeOf, redact, under } from '../../storage';
import type { ResolveTableInput } from '../inputs';
import { targetStore } from '../places';
import { lowerBound } from '../read-rows';
import { scanFile } from '../scan';
import { asDeclared, storedColumn } from '../polars-types';
import { frameOf, numbersOf, pl } from '../polars';
import { type OutputFile, QuarantineColumn } from '../types';
import { writing } from '../write-error';
import { mayPass } from '../store-error';
import { has, others } from './sorted-rows';

const NUMBER = '_source_number';

/**
 * Puts the published and quarantined rows of a partition back into the places they had in its raw files, which are
 * gone: published rows stand in the order of the raw ones, quarantined rows name their place, and the others are
 * those superseded. Files of the same names and lengths, with nulls for what is lost.
 *
 * @param lost Rows superseded, ascending.
 * @throws TerminalError `CorruptTable` when rows and places are not as many.
 */
export async function rebuildPartition(
  input: ResolveTableInput,
  committed: PartitionState,
  lost: Uint32Array,
): Promise<RebuiltPartition> {
  const { contract } = input;
  const columns = contract.columns.map((column) => asDeclared(column).alias(column.name));
  const offsets = offsetsOf(committed.files);
  const total = committed.files.reduce((sum, { rows }) => sum + rows, 0);
  const curated = await readAll(input, committed.curated, columns);
  const quarantine = await readAll(input, committed.quarantine, [
    ...columns,
    storedColumn(QuarantineColumn.SourceFile),
    storedColumn(QuarantineColumn.SourceRow),
  ]);

  const rejected = quarantine === null ? new Uint32Array(0) : placesOf(quarantine, offsets, committed);
  const sorted = rejected.toSorted();
  const published = others(total, lost, sorted);
  if (published.length !== (curated?.height ?? 0) || sorted.some((row) => has(lost, row))) {
    throw new TerminalError(
      'CorruptTable',
      `partition ${committed.date}: ${curated?.height ?? 0} rows are published, and ${published.length} of its ${total} raw rows are ` +
        `neither superseded nor quarantined. Look at it with: tidegate verify ${contract.pipeline}`,
    );
  }
  const numbered = [
    ...(curated === null ? [] : [pl.concat([curated, frameOf({ [NUMBER]: published })], { how: 'horizontal' })]),
    ...(quarantine === null
      ? []
      : [
          pl.concat(
            [quarantine.drop(QuarantineColumn.SourceFile, QuarantineColumn.SourceRow), frameOf({ [NUMBER]: rejected })],
            { how: 'horizontal' },
          ),
        ]),
  ];
  const files = await writeFiles(input, committed, numbered);
  return { root: rootOf(input), files, misfiled: committed.counts.misfiled };
}

const rootOf = ({ staging }: ResolveTableInput): string => under(staging, 'rebuilt');

/** The number, in the partition, of the first row of each file. */
function offsetsOf(files: readonly CountedFile[]): ReadonlyMap<string, number> {
  const offsets = new Map<string, number>();
  let rows = 0;
  for (const file of files) {
    offsets.set(file.path, rows);
    rows += file.rows;
  }
  return offsets;
}

/** The places of quarantined rows, in their order. */
function placesOf(quarantine: DataFrame, offsets: ReadonlyMap<string, number>, { date }: PartitionState): Uint32Array {
  const files = quarantine.getColumn(QuarantineColumn.SourceFile).toArray() as string[];
  const rows = numbersOf(
    quarantine.select(pl.col(QuarantineColumn.SourceRow).cast(pl.Float64)),
    QuarantineColumn.SourceRow,
  );
  return Uint32Array.from(files, (file, i) => {
    const offset = offsets.get(file);
    if (offset !== undefined) return offset + rows[i]!;
    throw new TerminalError(
      'CorruptTable',
      `partition ${date}: a quarantined row names the source file ${JSON.stringify(file)}, which is not in its manifest`,
    );
  });
}

async function readAll(
  { committed: { root } }: ResolveTableInput,
  files: readonly OutputFile[],
  columns: readonly Expr[],
): Promise<DataFrame | null> {
  const store = targetStore(root);
  const frames: DataFrame[] = [];
  for (const { path } of files) {
    const scan = await scanFile(store, path);
    try {
      frames.push(await scan.select(...columns).collect());
    } catch (error) {
      throw unreadable(error, `${root}/${path}`);
    }
  }
  return frames.length > 1 ? pl.concat(frames) : (frames[0] ?? null);
}

function unreadable(error: unknown, path: string): Error {
  const cause = causeOf(error);
  const message = redact(messageOf(error)).split('\n')[0] ?? '';
  if (mayPass(message)) return new Error(`could not read ${path}: ${message}`, { cause });
  return new TerminalError(
    'CorruptTable',
    `${path} is needed, because the raw files of its partition are gone and a change elsewhere concerns it, and cannot be ` +
      `read: ${message}. Restore it (another writer may have compacted and vacuumed it), or put the raw files back.`,
    { cause },
  );
}

async function writeFiles(
  input: ResolveTableInput,
  { files }: PartitionState,
  numbered: readonly DataFrame[],
): Promise<CountedFile[]> {
  const store = targetStore(rootOf(input));
  const written: CountedFile[] = [];
  const known =
    numbered.length === 0
      ? null
      : await pl
          .concat([...numbered])
          .lazy()
          .sort(NUMBER, false)
          .collect();
  const numbers = known === null ? new Uint32Array(0) : (numbersOf(known, NUMBER) as Uint32Array);
  let start = 0;
  for (const { path, rows } of files) {
    const from = start;
    start += rows;
    if (rows === 0) continue;
    const places = frameOf({ [NUMBER]: Uint32Array.from({ length: rows }, (_, row) => from + row) }).lazy();
    const first = lowerBound(numbers, from);
    const own = lowerBound(numbers, start) - first;
    const names = input.contract.columns.map(({ name }) => storedColumn(name));
    const all =
      known === null
        ? // Selected beside a column: literals alone make one row.
          places.withColumns(...input.contract.columns.map(({ name }) => pl.lit(null).alias(name))).select(...names)
        : places
            .join(known.slice(first, own).lazy(), { on: NUMBER, how: 'left' })
            .sort(NUMBER, false)
            .select(...names);
    const target = store.urlOf(path);
    await writing(target, async () => {
      if (store.kind === 'local') await mkdir(dirname(target), { recursive: true });
      await all
        .sinkParquet(target, {
          compression: 'zstd',
          compressionLevel: 1,
          sinkOptions: { maintainOrder: true, syncOnClose: 'none', mkdir: false },
          ...(await store.scanOptions()),
        })
        .collect();
    });
    const info = await store.stat(path);
    if (info === null) throw new Error(`${target} was written and is not there`);
    const { size, mtimeNs, etag } = info;
    written.push({
      path,
      size,
      ...(mtimeNs === undefined ? {} : { mtimeNs }),
      ...(etag === undefined ? {} : { etag }),
      rows,
    });
  }
  return written;
}
