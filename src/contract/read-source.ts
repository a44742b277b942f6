import type { PartitionDate } from '../discovery/partition-date';
import { DEFAULT_MEMORY, parseBytes } from './bytes';
import type { Column, Contract } from './contract';
import { crossCheck, typeFindings } from './cross-check';
import type { Finding } from './faults';
import { makeGates } from './gate-check';
import { findingsOf } from './issues';
import { resolveLocation } from './overlap';
import { soundParts, type SoundParts } from './parts';
import { pipelineSchema, type CompleteSource } from './schema';
import { listOf } from './strict';

export interface ReadOptions {
  /** Absolute; relative paths start here. */
  readonly baseDir: string;
  /** Column names as the file orders them: a JavaScript object moves names like `2024` to the front. */
  readonly columnOrder?: readonly string[];
}

export type ReadSource =
  | { readonly ok: true; readonly contract: Contract }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/** The normalised contract of a source form of unknown origin, or everything that is wrong with it. Pure. */
export function readSource(root: unknown, options: ReadOptions): ReadSource {
  const parsed = pipelineSchema.safeParse(root);
  const parts = soundParts(root);
  const { gates, findings: gateFindings } = makeGates(parts);
  const findings = [
    ...(parsed.success ? [] : findingsOf(parsed.error.issues, root)),
    ...typeFindings(typeof root === 'object' && root !== null && 'columns' in root ? root.columns : undefined),
    ...crossCheck(parts, options.baseDir),
    ...gateFindings,
  ];
  if (!parsed.success || findings.length > 0) return { ok: false, findings };
  return { ok: true, contract: { ...normalise(parsed.data, parts, options), gates } };
}

/** What the normalised contract says of the engine where its source says nothing. */
export const DEFAULT_ENGINE: Contract['engine'] = { memory: parseBytes(DEFAULT_MEMORY)! };

function normalise(source: CompleteSource, parts: SoundParts, options: ReadOptions): Omit<Contract, 'gates'> {
  const { pipeline, incremental, deduplicate, publish, engine, schedule, notify } = source;
  return {
    pipeline,
    source: { ...source.source, path: resolveLocation(options.baseDir, source.source.path) },
    columns: orderedColumns(parts, options.columnOrder),
    incremental: { ...incremental, start: (incremental.start as PartitionDate | undefined) ?? null },
    deduplicate: {
      primaryKey: listOf(deduplicate.primaryKey),
      orderBy: listOf(deduplicate.orderBy).map((entry) =>
        typeof entry === 'string' ? { column: entry, direction: 'desc' } : entry,
      ),
      scope: deduplicate.scope,
    },
    publish: { ...publish, path: resolveLocation(options.baseDir, publish.path) },
    engine: { memory: parseBytes(engine.memory)! },
    schedule: schedule === undefined ? null : { ...schedule, jitter: schedule.jitter ?? null },
    notify: { webhook: notify.webhook ?? null },
  };
}

function orderedColumns({ columns }: SoundParts, order: readonly string[] | undefined): Column[] {
  const all = columns ?? new Map();
  return (order ?? [...all.keys()]).map((name) => ({ name, type: all.get(name) }));
}
