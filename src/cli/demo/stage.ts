import { mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { codeOf } from '../../errors';
import { UsageError } from '../support/exit';
import type { Format } from './formats';

export const PIPELINE = 'transactions';

/** Where the demo's files lie. */
export interface Stage {
  readonly dir: string;
  readonly format: Format;
  readonly raw: string;
  readonly table: string;
  readonly pipelines: string;
  readonly contract: string;
  readonly workerLog: string;
  readonly serverLog: string;
}

/**
 * Makes the demo's folder with its contract.
 * @throws UsageError when the folder is in use for something else.
 */
export async function setStage(format: Format, given?: string): Promise<Stage> {
  const dir = given === undefined ? await mkdtemp(path.join(tmpdir(), 'tidegate-demo-')) : path.resolve(given);
  if (given !== undefined && (await entriesOf(dir)).length > 0) {
    throw new UsageError(`the folder ${dir} is not empty: name one that is, or that is not there yet`);
  }
  const stage: Stage = {
    dir,
    format,
    raw: path.join(dir, 'raw'),
    table: path.join(dir, 'curated'),
    pipelines: path.join(dir, 'pipelines'),
    contract: path.join(dir, 'pipelines', `${PIPELINE}.yaml`),
    workerLog: path.join(dir, 'worker.log'),
    serverLog: path.join(dir, 'temporal.log'),
  };
  await mkdir(stage.raw, { recursive: true });
  await mkdir(stage.pipelines, { recursive: true });
  await writeFile(stage.contract, contractOf(format));
  return stage;
}

async function entriesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    if (codeOf(error) === 'ENOTDIR') throw new UsageError(`${folder} is not a folder`);
    throw error;
  }
}

const contractOf = (format: Format): string => `pipeline: ${PIPELINE}
source:
  path: ../raw
columns:
  transaction_id: string
  user_id: string
  transaction_receipt: string
  amount: decimal(12,2)
  currency: string
  status: string
  updated_at: timestamp[us, UTC]
incremental:
  lookback: 3
deduplicate:
  primaryKey: transaction_id
  orderBy: updated_at
gates:
  - { kind: notNull, column: user_id }
  - { kind: inRange, column: amount, greaterThan: 0 }
  - { kind: unique, columns: transaction_receipt }
publish:
  path: ../curated${format === 'directory' ? '' : `\n  format: ${format}`}
schedule:
  every: 15m
`;
