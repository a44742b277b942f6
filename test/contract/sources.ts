import type { PipelineSource } from '../../src/contract';

/** A sound contract in its source form; each test spoils or changes a part of it. */
export const SOUND: PipelineSource = {
  pipeline: 'transactions',
  source: { path: 'raw' },
  columns: {
    id: 'string',
    at: 'timestamp[us, UTC]',
    local: 'timestamp[ms]',
    day: 'date',
    amount: 'decimal(12,2)',
    big: 'int64',
    small: 'int8',
    ratio: 'float64',
    ok: 'boolean',
    raw: 'binary',
    email: 'string',
  },
  deduplicate: { primaryKey: 'id', orderBy: 'at', scope: 'window' },
  publish: { path: 'curated' },
};
