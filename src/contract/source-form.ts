import { formatColumnType } from './column-type';
import type { Contract } from './contract';
import type { PipelineSource } from './schema';

/** The source form of a contract, complete: reading it again gives the same contract. */
export function toSource(contract: Contract): PipelineSource {
  const { pipeline, source, columns, incremental, deduplicate, gates, publish, engine, schedule, notify } = contract;
  return {
    pipeline,
    source,
    columns: Object.fromEntries(columns.map(({ name, type }) => [name, formatColumnType(type)])),
    incremental: { ...incremental, start: incremental.start ?? undefined },
    deduplicate: {
      primaryKey: [...deduplicate.primaryKey],
      orderBy: deduplicate.orderBy.map((entry) => ({ ...entry })),
      scope: deduplicate.scope,
    },
    // A normalised gate is its own source form: its literals fit its column.
    gates: gates as unknown as PipelineSource['gates'],
    publish,
    engine,
    schedule: schedule === null ? undefined : { ...schedule, jitter: schedule.jitter ?? undefined },
    notify: { webhook: notify.webhook ?? undefined },
  };
}
