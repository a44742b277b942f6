import path from 'node:path';
import type { DevServer } from '../../temporal';
import type { Stage } from './stage';
import { PIPELINE } from './stage';

/** Step five: where everything lies, and how to look further. */
export function whereThingsLie(stage: Stage, server: DevServer, kept: boolean): string {
  const current = path.join(stage.table, 'current');
  const address = kept ? `TEMPORAL_ADDRESS=${server.address} ` : '';
  return `── 5. Where things lie ${'─'.repeat(55)}
raw zone     ${stage.raw}
curated      ${path.join(current, 'curated')}
quarantine   ${path.join(current, 'quarantine')}
report       ${path.join(current, 'report.json')}
contract     ${stage.contract}

Look further (in this shell, first: export TIDEGATE_PIPELINES=${stage.pipelines}):
  npx tidegate report ${PIPELINE} --version 2     the quality report with the two rejected rows
  npx tidegate history ${PIPELINE}                every commit
  npx tidegate plan ${PIPELINE}                   what the next run would take, and why
  ${address}npx tidegate status ${PIPELINE}

Read the table. Readers pin one version first: they see it whole, whatever is published meanwhile.
  V=$(npx tidegate path ${PIPELINE})
  duckdb -c "select status, count(*), sum(amount) from '$V/curated/*/*.parquet' group by all"
  python -c "import polars as pl; print(pl.read_parquet('$V/quarantine/**/*.parquet', hive_partitioning=True))"`;
}
