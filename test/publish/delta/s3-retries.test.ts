import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contract } from '../../../src/contract/contract';
import { TerminalError } from '../../../src/errors';
import type { Commit, PublishInput, TableState } from '../../../src/publish';
import { openStore } from '../../../src/storage';
import { startProxiedLake } from '../../support/lake';
import { python } from '../../support/python';
import type { Fault, S3Proxy } from '../../support/s3-proxy';
import { type S3Server, s3Environment } from '../../support/s3-server';
import { contractFor, newRoot, stage, tableAt } from './support';

jest.setTimeout(240_000);

const DATE = '2026-05-01';
const FAULTS: readonly Fault[] = [
  'drop request',
  'drop reply',
  'truncate request',
  'truncate reply',
  'duplicate request',
  'delay',
  'throttle',
  'conflict',
  'internal error',
];

const saved = { ...process.env };
let server: S3Server;
let proxy: S3Proxy;
let contract: Contract;
let local: Contract;
let zone = 0;

beforeAll(async () => {
  ({ server, proxy } = await startProxiedLake());
});
afterAll(async () => {
  process.env = saved;
  await proxy?.close();
  await server?.stop();
});
beforeEach(async () => {
  proxy.onRequest = () => null;
  contract = contractFor(`s3://lake/table ${(zone += 1)}`);
  local = contractFor(await newRoot());
  await storeTable().claimFolder();
});

/** Each publisher has a store of its own, as processes have. */
const storeTable = () => tableAt(contract, {}, openStore(contract.publish.path, { errorType: 'TargetError' }));

/** What a run's activities leave: files in the store, under names of their own, and the input of its publish. */
async function staged(requestId: string, base: TableState): Promise<PublishInput> {
  const input = await stage({
    contract: local,
    base,
    requestId,
    outcomes: [{ date: DATE, published: 2, quarantined: 1 }],
  });
  const store = openStore(contract.publish.path);
  for (const { path } of input.results.flatMap(({ curated, quarantine }) => [...curated, ...quarantine])) {
    await store.write(path, await readFile(join(local.publish.path, path)));
  }
  return { ...input, plan: { ...input.plan, contract } };
}

/** Who wrote the rows of each version of the two tables, by deltalake. */
async function authors(versions: readonly number[]): Promise<Record<'curated' | 'quarantine', string[][]>> {
  return python(
    `
from deltalake import DeltaTable
def authors(kind, version):
    table = DeltaTable(f"{input['table']}/{kind}", version=version, storage_options=input['options']).to_pyarrow_table()
    return table.column('request').to_pylist()
output = {kind: [authors(kind, version) for version in input['versions']] for kind in ('curated', 'quarantine')}
`,
    { table: contract.publish.path, versions, options: { ...s3Environment(server.port), AWS_ALLOW_HTTP: 'true' } },
  );
}

test('publishers that race and try again, while requests are lost, doubled, delayed and cut, commit each request once', async () => {
  const requests = Array.from({ length: 5 }, (_, index) => `request ${index}`);
  let injected = 0;
  let state = 20_261_123;
  proxy.onRequest = ({ url }) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    // The folder's check would be made again and again.
    if (url.includes('probe') || (state >>> 16) % 12 !== 0) return null;
    return FAULTS[injected++ % FAULTS.length]!;
  };
  const commits = await Promise.all(requests.map((requestId) => untilCommitted(requestId)));
  proxy.onRequest = () => null;
  console.log(`${injected} faults injected into ${proxy.seen.length} requests of ${requests.length} publishers`);
  expect(injected).toBeGreaterThan(FAULTS.length);

  const history = (await storeTable().history()).toReversed();
  expect(history.map(({ version }) => version)).toEqual(requests.map((_, index) => index + 1));
  expect(history.map(({ requestId }) => requestId).toSorted()).toEqual(requests);
  expect(commits.toSorted((a, b) => a.version - b.version)).toEqual(history);
  expect(await authors(requests.map((_, index) => index))).toEqual({
    curated: history.map(({ requestId }) => [requestId, requestId]),
    quarantine: history.map(({ requestId }) => [requestId]),
  });
});

/** As Temporal and the workflow do: what may pass is tried again, and a void plan is made anew. */
async function untilCommitted(requestId: string): Promise<Commit> {
  for (let tries = 0; tries < 100; tries += 1) {
    try {
      const input = await staged(requestId, await storeTable().read());
      return await storeTable().publish(input);
    } catch (error) {
      if (error instanceof TerminalError) throw error;
    }
  }
  throw new Error(`${requestId} was not committed in a hundred tries`);
}
