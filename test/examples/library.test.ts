import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { type DevServer, startDevServer } from '../../src/temporal';
import { python } from '../support/python';
import { type Row, readRows } from '../support/read-table';

const run = promisify(execFile);
const ROOT = join(__dirname, '..', '..');

let built: string;

beforeAll(async () => {
  // Inside the project, as that is where the name `tidegate` leads to it.
  built = join(ROOT, 'examples', 'dist', `test-${process.pid}`);
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  await run(process.execPath, [compiler, '-p', join(ROOT, 'examples', 'tsconfig.json'), '--outDir', built]);
}, 120_000);
afterAll(() => rmSync(built, { recursive: true, force: true }));

interface Sale {
  readonly id: string;
  readonly shop: string | null;
  readonly amount: number;
}

type Kind = 'curated' | 'quarantine';

describe.each(['directory', 'delta'] as const)(
  "a team's own worker, with its own workflow and activities beside Tidegate's, in format %s",
  (format) => {
    let folder: string;
    let server: DevServer;
    let connection: Connection;
    let worker: ChildProcess;
    let output = '';

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'tidegate-library-'));
      server = await startDevServer({ headless: true });
      connection = await Connection.connect({ address: server.address });
      // As the README shows it.
      const args = [join(built, 'library', 'worker.js'), folder, ...(format === 'delta' ? ['delta'] : [])];
      worker = spawn(process.execPath, args, {
        env: { ...process.env, TEMPORAL_ADDRESS: server.address },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      worker.stdout?.on('data', (data: Buffer) => (output += data.toString()));
      worker.stderr?.on('data', (data: Buffer) => (output += data.toString()));
    }, 120_000);

    afterAll(async () => {
      if (worker?.exitCode === null) {
        const ended = new Promise((resolve) => worker.once('exit', resolve));
        worker.kill('SIGKILL');
        await ended;
      }
      await connection?.close();
      await server?.stop();
      if (folder) rmSync(folder, { recursive: true, force: true });
    });

    /** Runs the team's own workflow; a worker that ended says why. */
    async function closeDay(date: string, sales: readonly Sale[]): Promise<string> {
      const client = new Client({ connection });
      const ended = new Promise<never>((_, reject) => {
        worker.once('exit', () => reject(new Error(`the example's worker ended:\n${output}`)));
      });
      const outcome = client.workflow.execute('closeDay', {
        taskQueue: 'shop',
        workflowId: `close-${date}`,
        args: [date, sales],
        workflowRunTimeout: '2 minutes',
      });
      return (await Promise.race([outcome, ended])) as string;
    }

    /** Where a reader finds a version; in format `delta` the newest one. */
    const placeOf = (version: number): string =>
      format === 'delta' ? join(folder, 'curated') : join(folder, 'curated', 'snapshots', `0000000${version}`);

    /** What a reader of the format sees there. */
    async function published(version: number, kind: Kind): Promise<Row[]> {
      if (format === 'directory') return readRows(placeOf(version), kind);
      const script = `
import polars as pl
table = pl.scan_delta(input).drop('updated_at').with_columns(pl.col('date').cast(pl.String)).sort('sale_id')
output = table.collect().to_dicts()
`;
      return python<Row[]>(script, join(placeOf(version), kind));
    }

    test('its day is collected, taken through the gates and told, in one workflow of its own', async () => {
      const message = await closeDay('2026-05-01', [
        { id: 'a', shop: 'north', amount: 5 },
        { id: 'b', shop: null, amount: 6 },
        { id: 'c', shop: 'south', amount: -7 },
      ]);
      expect(message).toBe(`2026-05-01: 1 published, 2 rejected, in ${placeOf(1)}`);
      expect(readFileSync(join(folder, 'message.txt'), 'utf8')).toBe(message);
      expect(await published(1, 'curated')).toMatchObject([{ date: '2026-05-01', sale_id: 'a', amount: 5 }]);
      expect(await published(1, 'quarantine')).toMatchObject([
        { sale_id: 'b', _violations: ['notNull_shop'] },
        { sale_id: 'c', _violations: ['inRange_amount'] },
      ]);
    }, 180_000);

    test('the next day adds to the table, as the watermark moved', async () => {
      const message = await closeDay('2026-05-02', [{ id: 'd', shop: 'north', amount: 8 }]);
      expect(message).toBe(`2026-05-02: 1 published, 0 rejected, in ${placeOf(2)}`);
      expect((await published(2, 'curated')).map((row) => row['sale_id'])).toEqual(['a', 'd']);
    }, 180_000);
  },
);
