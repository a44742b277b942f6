import path from 'node:path';
import { loadContract } from '../../contract';
import { openTable } from '../../publish';
import type { VersionPlace } from '../../publish';
import type { DevServer } from '../../temporal';
import type { Format } from './formats';
import type { Stage } from './stage';
import { PIPELINE } from './stage';

/** Step five: where everything lies, and how to look further. */
export async function whereThingsLie(stage: Stage, server: DevServer, kept: boolean): Promise<string> {
  const address = kept ? `TEMPORAL_ADDRESS=${server.address} ` : '';
  const { curated, quarantine, report, reading } = await placesOf(stage);
  return `── 5. Where things lie ${'─'.repeat(55)}
raw zone     ${stage.raw}
curated      ${curated}
quarantine   ${quarantine}
report       ${report}
contract     ${stage.contract}

Look further (in this shell, first: export TIDEGATE_PIPELINES=${stage.pipelines}):
  npx tidegate report ${PIPELINE} --version 2     the quality report with the two rejected rows
  npx tidegate history ${PIPELINE}                every commit
  npx tidegate plan ${PIPELINE}                   what the next run would take, and why
  ${address}npx tidegate status ${PIPELINE}

${reading}`;
}

interface Places {
  readonly curated: string;
  readonly quarantine: string;
  readonly report: string;
  /** How to read the table. */
  readonly reading: string;
}

const placesOf = (stage: Stage): Promise<Places> => PLACES[stage.format](stage);

const PLACES: Readonly<Record<Format, (stage: Stage) => Promise<Places>>> = {
  directory: async ({ table }) => {
    const current = path.join(table, 'current');
    return {
      curated: path.join(current, 'curated'),
      quarantine: path.join(current, 'quarantine'),
      report: path.join(current, 'report.json'),
      reading: `Read the table. Readers pin one version first: they see it whole, whatever is published meanwhile.
  V=$(npx tidegate path ${PIPELINE})
  duckdb -c "select status, count(*), sum(amount) from '$V/curated/*/*.parquet' group by all"
  python -c "import polars as pl; print(pl.read_parquet('$V/quarantine/**/*.parquet', hive_partitioning=True))"`,
    };
  },
  delta: async (stage) => {
    const place = await openTable(await loadContract(stage.contract)).pathOf();
    return { ...place, reading: readingDelta(place) };
  },
};

function readingDelta({ curated, quarantine, deltaVersions }: VersionPlace): string {
  return `Read the table, with whatever reads Delta Lake. Every query sees one version whole.
  duckdb -c "select status, count(*), sum(amount) from delta_scan('${curated}') group by all"
  python -c "import polars as pl; print(pl.read_delta('${quarantine}'))"
A version may be pinned; npx tidegate path ${PIPELINE} --json tells which.
  python -c "import polars as pl; print(pl.read_delta('${curated}', version=${deltaVersions?.curated}))"`;
}
