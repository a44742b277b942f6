import path from 'node:path';
import type { Contract } from '../../contract';
import { loadContract } from '../../contract';
import type { PartitionDate } from '../../discovery';
import { parsePartitionDate } from '../../discovery';
import { openTable } from '../../publish';
import { formatCount, formatDuration, plural, renderReport } from '../../quality';
import type { Report } from '../../quality';
import type { DevServer, TemporalClient } from '../../temporal';
import { connect, loadConnectionSettings, startDevServer } from '../../temporal';
import type { RunSummary } from '../../workflows/messages';
import { Interrupted } from '../support/exit';
import { follow } from '../support/follow';
import { readReport } from '../support/outcome';
import { note, styleFor } from '../support/output';
import { progressLine } from '../support/progress';
import { startRequester } from '../support/requester';
import { whereThingsLie } from './epilogue';
import type { Format, View } from './formats';
import { viewOf } from './formats';
import type { Stage } from './stage';
import { PIPELINE, setStage } from './stage';
import type { Transaction } from './transactions';
import { dayOf, days, differences, expectedTable, land, numbers, settled } from './transactions';
import type { WorkerProcess } from './worker-process';
import { lastWords, startWorker } from './worker-process';

type Say = (text: string) => void;

/** The quiet week, and the days after it. Fixed, so that the story is the same on every day. */
const WEEK = at('2026-05-01');
const NEW_DAYS = at('2026-05-08');
/** Older than the window by then. */
const LATE_DAY = at('2026-05-02');
const LAST_DAY = at('2026-05-11');
const ROWS_A_DAY = 240;

/**
 * The demo: five steps on real parts. Whatever happens, server and worker are stopped at the end.
 * @throws Error when the table is not what it must be.
 */
export async function tellStory(
  options: { readonly dir?: string; readonly format: Format; readonly keep?: boolean },
  say: Say,
): Promise<void> {
  const started = Date.now();
  const stage = await setStage(options.format, options.dir);
  say(`Everything of this demo lies in ${stage.dir}`);
  const server = await startDevServer({ logFile: stage.serverLog });
  const interrupt = interruption();
  const temporal = await connect(loadConnectionSettings({ address: server.address, env: {} }));
  const story = new Story(stage, server, temporal, interrupt.signal, say);
  const telling = story.tell();
  try {
    await Promise.race([telling, interrupt.promise]);
    say(`\n${await whereThingsLie(stage, server, options.keep === true)}`);
    say(`\nDone in ${formatDuration(Date.now() - started)}.`);
    if (options.keep) {
      say(`Temporal at ${server.address}, web UI at ${server.uiUrl}, and a worker are running. Ctrl-C stops them.`);
      await Promise.race([interrupt.promise.catch(() => {}), story.workerLost()]);
    }
  } finally {
    interrupt.dispose();
    await story.stopWorker();
    await telling.catch(() => {});
    // It may have started another one meanwhile.
    await story.stopWorker();
    await temporal.connection.close();
    await server.stop();
  }
}

class Story {
  #worker: WorkerProcess | null = null;
  readonly #landed: Transaction[] = [];
  readonly #next = numbers(20_260_501);
  readonly #style = styleFor();
  readonly #view: View;

  constructor(
    readonly stage: Stage,
    readonly server: DevServer,
    readonly temporal: TemporalClient,
    readonly stopped: AbortSignal,
    readonly say: Say,
  ) {
    this.#view = viewOf(stage);
  }

  async tell(): Promise<void> {
    const { stage, server, say } = this;
    const contract = await loadContract(stage.contract);
    this.#worker = startWorker(stage, server.address);
    say(`A Temporal server runs at ${server.address}, and a worker as process ${this.#worker.pid}.`);
    await this.#quietWeek();
    await this.#newDays();
    await this.#lateRecord();
    await this.#killedWorker(contract);
  }

  async #quietWeek(): Promise<void> {
    this.#step(
      1,
      'A quiet week',
      'Seven days lie in the raw zone. The first run publishes them, and so sets the watermark.',
    );
    for (const date of days(WEEK, 7)) await this.#land(date, 'part-0001.parquet', dayOf(date, ROWS_A_DAY, this.#next));
    const report = await this.#run();
    this.say(
      `Version ${report.commit?.version}: ${plural(report.totals.published, 'row')} of ${plural(report.partitions.length, 'partition')} published, ` +
        `${report.totals.quarantined} rejected. The watermark is ${report.watermark.after}.`,
    );
  }

  async #newDays(): Promise<void> {
    this.#step(
      2,
      'New days, with updates and two bad rows',
      'Three days land. Pending transactions settle: the same transaction_id comes again, newer, in the partition of a later\n' +
        'day. One is a week old. And two rows are wrong: one has no user_id, one a negative amount.',
    );
    const [first, second, third] = days(NEW_DAYS, 3) as [PartitionDate, PartitionDate, PartitionDate];
    // Updates of the week's last days, and one of its first day. The versions they replace leave their partitions.
    const last = this.#landed
      .filter(({ transaction_id: id }) => id > 'T-20260505')
      .filter((_, index) => index % 11 === 0);
    const older = [this.#landed[0]!, ...last];
    const [a, b, c] = [first, second, third].map((date) => dayOf(date, ROWS_A_DAY, this.#next)) as [
      Transaction[],
      Transaction[],
      Transaction[],
    ];
    b[17] = { ...b[17]!, user_id: null };
    c[42] = { ...c[42]!, cents: -b[42]!.cents };
    await this.#land(first, 'part-0001.parquet', [...a, ...older.map((row) => settled(row, 40))]);
    await this.#land(second, 'part-0001.parquet', [...b, ...a.slice(0, 30).map((row) => settled(row, 20))]);
    await this.#land(third, 'part-0001.parquet', c);
    const report = await this.#run();
    this.say(renderReport(report, this.#style));
    const coupled = report.partitions.filter(({ reason }) => reason === 'coupled');
    if (coupled.length === 0) throw new Error('no partition was rewritten for the newer versions elsewhere');
    this.say(
      `\nThe ${plural(coupled.length, 'coupled partition')} held older versions of what settled, and published them until now.`,
    );
  }

  async #lateRecord(): Promise<void> {
    this.#step(
      3,
      'A late record',
      `A file arrives for ${LATE_DAY}, which was published days ago. The next run takes what changed, however late.`,
    );
    const [row] = dayOf(LATE_DAY, 1, this.#next) as [Transaction];
    const late: Transaction = { ...row, transaction_id: 'T-LATE-0001', transaction_receipt: 'R-LATE-0001' };
    const file = await this.#land(LATE_DAY, 'late-0001.parquet', [late]);
    this.say(`Landed ${path.relative(this.stage.dir, file)}`);
    const report = await this.#run();
    const published = await this.#view.published();
    const found = published.filter(({ transaction_id: id }) => id === late.transaction_id).length;
    if (found !== 1) throw new Error(`the late record is in the table ${found} times`);
    const partition = report.partitions.find(({ date }) => date === LATE_DAY);
    this.say(
      `Version ${report.commit?.version}: partition ${LATE_DAY} was taken as "${partition?.reason}" and read again from ${partition?.files} files, ` +
        `${report.left.length} others were left as they are; ` +
        `${late.transaction_id} is in the table, once.`,
    );
  }

  async #killedWorker(contract: Contract): Promise<void> {
    this.#step(
      4,
      'A worker is killed while it publishes',
      `One more day lands. The worker dies by SIGKILL at the failpoint publish.claimed: ${this.#view.moment}`,
    );
    await this.#land(LAST_DAY, 'part-0001.parquet', dayOf(LAST_DAY, ROWS_A_DAY, this.#next));
    await this.#worker?.stop();
    const marker = path.join(this.stage.dir, 'killed.marker');
    const doomed = startWorker(this.stage, this.server.address, `publish.claimed=kill@${marker}`);
    this.#worker = doomed;
    const before = await this.#view.newest();
    const running = this.#run(async () => {
      const signal = await doomed.exited;
      if (signal !== 'SIGKILL') throw new Error(`the worker ended unasked:\n${await lastWords(this.stage)}`);
      this.say(
        `Worker ${doomed.pid} was killed (${signal}). Its last words: ${(await lastWords(this.stage)).split('\n').at(-1)}`,
      );
      this.say(`${await this.#view.left(before)} The run waits for a worker.`);
      this.#worker = startWorker(this.stage, this.server.address);
      this.say(`A worker comes back, as process ${this.#worker.pid}.`);
    });
    const report = await running;
    const published = await this.#view.published();
    const expected = expectedTable(this.#landed);
    const wrong = differences(published, expected);
    if (wrong.length > 0)
      throw new Error(`the table is not right: ${wrong.slice(0, 5).join('; ')} (${wrong.length} in all)`);
    const commits = await openTable(contract).history();
    this.say(
      `${this.#view.went} ${report.commit?.version}. The table, read back: ${plural(published.length, 'row')}, ` +
        `${formatCount(new Set(published.map((row) => row.transaction_id)).size)} transactions, nothing twice and nothing missing,\n` +
        `row for row what one query over all ${formatCount(this.#landed.length)} raw rows gives. ` +
        `${plural(commits.length, 'run')}, ${plural(commits.length, 'commit')}.`,
    );
  }

  /** Runs the pipeline through Temporal; `meanwhile` happens beside it. */
  async #run(meanwhile?: () => Promise<void>): Promise<Report> {
    this.say(this.#style.colors.dim(`$ tidegate run ${PIPELINE}`));
    const requester = await startRequester(this.temporal.client, { kind: 'run', input: { pipeline: PIPELINE } });
    const line = await progressLine({ quiet: !process.stderr.isTTY });
    this.stopped.throwIfAborted();
    const giveUp = new AbortController();
    const signal = AbortSignal.any([giveUp.signal, this.stopped]);
    const following = follow<RunSummary>(this.temporal, requester, line, { detachable: false, signal });
    const beside = meanwhile ? meanwhile() : this.#watchWorker(following);
    let summary: RunSummary;
    try {
      [summary] = await Promise.all([following, beside]);
    } finally {
      giveUp.abort();
      await following.catch(() => {});
    }
    const report = await readReport(summary.report);
    if (!report?.commit) throw new Error('the run made no commit');
    return report;
  }

  /** Fails when the worker ends before the run does: nobody else would finish it. */
  async #watchWorker(following: Promise<unknown>): Promise<void> {
    const lost = this.workerLost();
    await Promise.race([following, lost]);
    lost.catch(() => {});
  }

  /** Rejects when the worker of now ends. */
  async workerLost(): Promise<never> {
    await this.#worker?.exited;
    throw new Error(`the worker ended unasked:\n${await lastWords(this.stage)}`);
  }

  async #land(date: PartitionDate, name: string, rows: readonly Transaction[]): Promise<string> {
    this.#landed.push(...rows);
    return await land(this.stage.raw, date, name, rows);
  }

  #step(number: number, title: string, text: string): void {
    this.say(
      `\n${this.#style.colors.bold(`── ${number}. ${title} ${'─'.repeat(Math.max(3, 70 - title.length))}`)}\n${text}`,
    );
  }

  async stopWorker(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    await worker?.stop();
  }
}

/** Ctrl-C as a promise, so that what was started is stopped. */
function interruption(): { promise: Promise<never>; signal: AbortSignal; dispose: () => void } {
  const stop = new AbortController();
  const onSignal = (): void => {
    note('Stopping server and worker.');
    stop.abort();
  };
  const promise = new Promise<never>((_, reject) => {
    stop.signal.addEventListener('abort', () => reject(new Interrupted('stopped')));
  });
  promise.catch(() => {});
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  return { promise, signal: stop.signal, dispose: () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal) };
}

function at(text: string): PartitionDate {
  const date = parsePartitionDate(text);
  if (date === null) throw new Error(`${text} is no date`);
  return date;
}
