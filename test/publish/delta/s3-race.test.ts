import { randomUUID } from 'node:crypto';
import { VoidPlan } from '../../../src/errors';
import type { Commit } from '../../../src/publish';
import { openStore } from '../../../src/storage';
import { startLake } from '../../support/lake';
import { python } from '../../support/python';
import { ACCESS_KEY, SECRET_KEY, type S3Server } from '../../support/s3-server';
import { contractFor, plainRows, publishTo, putFile, stage, tableAt } from './support';

jest.setTimeout(240_000);

const PUBLISHERS = 20;
const ROUNDS = 3;
const DATES = ['2026-05-01', '2026-05-02'];

let server: S3Server;
beforeAll(async () => {
  server = await startLake();
}, 60_000);
afterAll(() => server?.stop());

/** What delta-rs sees: which request wrote how many rows of each date, and how many files there are. */
const see = (path: string): Promise<{ rows: [string, string, number][]; files: number }> =>
  python(
    `
import polars as pl
from deltalake import DeltaTable
options = {'AWS_ENDPOINT_URL': input['endpoint'], 'AWS_ACCESS_KEY_ID': input['key'], 'AWS_SECRET_ACCESS_KEY': input['secret'],
           'AWS_REGION': 'us-east-1', 'AWS_ALLOW_HTTP': 'true'}
got = pl.scan_delta(input['table'], storage_options=options).group_by('date', 'request').len().sort('date', 'request').collect()
output = {'rows': [[str(d), r, n] for d, r, n in got.rows()],
          'files': len(DeltaTable(input['table'], storage_options=options).file_uris())}`,
    {
      endpoint: `http://127.0.0.1:${server.port}`,
      key: ACCESS_KEY,
      secret: SECRET_KEY,
      table: `${path}/curated`,
    },
  );

/** Another writer's append to a partition of its own, put where the log has room. */
async function appendElsewhere(path: string): Promise<void> {
  const store = openStore(path);
  const key = 'date=2026-06-01/foreign.parquet';
  const bytes = plainRows('curated', { requestId: 'foreign', date: '2026-06-01', rows: 1 }).writeParquet();
  await putFile(path, `curated/${key}`, bytes);
  const add = {
    path: key,
    partitionValues: { date: '2026-06-01' },
    size: bytes.length,
    modificationTime: Date.now(),
    dataChange: true,
  };
  for (let version = 0; ; version += 1) {
    const entry = `curated/_delta_log/${String(version).padStart(20, '0')}.json`;
    if ((await store.stat(entry)) === null && (await store.putIfAbsent(entry, `${JSON.stringify({ add })}\n`))) return;
  }
}

it(`of ${PUBLISHERS} publishers that race for a version of a table on S3 one wins, and nothing is lost`, async () => {
  const contract = contractFor(`s3://lake/${randomUUID()}`);
  const path = contract.publish.path;
  const winners: Commit[] = [await publishTo(contract, 'first', [{ date: DATES[0]! }])];
  let voided = 0;
  for (let round = 1; round <= ROUNDS; round += 1) {
    const base = await tableAt(contract).read();
    const inputs = await Promise.all(
      Array.from({ length: PUBLISHERS }, (_, index) =>
        stage({
          contract,
          base,
          requestId: `round ${round}, publisher ${index}`,
          // The winner's rows are told by their number.
          outcomes: DATES.map((date) => ({ date, published: index + 1, quarantined: 1 })),
        }),
      ),
    );
    // Each a table of its own, as in a process of its own. In the last round somebody else commits as well.
    const [outcomes] = await Promise.all([
      Promise.allSettled(inputs.map((input) => tableAt(contract).publish(input))),
      round === ROUNDS ? appendElsewhere(path) : null,
    ]);
    const won = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(won).toMatchObject([{ version: round + 1 }]);
    winners.push(...won);
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') continue;
      expect(outcome.reason).toBeInstanceOf(VoidPlan);
      expect(outcome.reason).toMatchObject({
        reason: `it was made on version ${round}, and the table is at version ${round + 1}`,
      });
      voided += 1;
    }
    // Who lost knows that it did not commit; who won, that it did.
    const table = tableAt(contract);
    const found = await Promise.all(inputs.map(({ requestId }) => table.find(requestId)));
    expect(found.filter((commit) => commit !== null)).toEqual(won);
  }
  expect(voided).toBe(ROUNDS * (PUBLISHERS - 1));

  const table = tableAt(contract);
  expect(await table.history()).toEqual(winners.toReversed());
  const last = winners.at(-1)!;
  const rows = Number(/\d+$/.exec(last.requestId)![0]) + 1;
  expect(await see(path)).toEqual({
    rows: [...DATES.map((date) => [date, last.requestId, rows]), ['2026-06-01', 'foreign', 1]],
    files: DATES.length + 1,
  });
  for (const { version } of winners) {
    const { faults } = await table.verify({ version });
    expect(faults.filter(({ message }) => !message.includes('another writer changed'))).toEqual([]);
  }
  process.stderr.write(
    `${PUBLISHERS} publishers on S3: ${ROUNDS} versions contested, ${voided} plans void, an append elsewhere rebased on\n`,
  );
});
