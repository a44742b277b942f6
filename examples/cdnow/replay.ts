/**
 * Replays CDNOW's eighteen months through Tidegate, a run a month, and holds the table against one query over everything.
 * Usage: replay.js [--dir <new or empty folder>] [--format directory|delta]; by default examples/cdnow/replay, which is
 * made anew, and a table of format directory.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Temporal } from '@js-temporal/polyfill';
import type { Counts, PartitionReport, Report } from 'tidegate';
import { deliveriesOf } from './deliveries';
import { land } from './land';
import { type Verdict, judge, preparePython } from './oracle';
import type { Delivery } from './sale';
import { readMaster } from './source';
import { HEADER, row } from './table';
import { Tidegate } from './tidegate';

const PACKAGE = dirname(require.resolve('tidegate/package.json'));
const SOURCES = join(PACKAGE, 'examples', 'cdnow');
const MASTER = join(SOURCES, 'data', 'CDNOW_master.txt');
const CACHE = join(PACKAGE, 'node_modules', '.cache', 'tidegate');
const FIRST_MONTH = Temporal.PlainYearMonth.from('1997-01');
const MONTHS = 18;

type Format = 'directory' | 'delta';

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** The replay as it goes: what stands for each partition, and what it took. */
class Replay {
  /** The latest report of each partition: what the table holds of it. */
  readonly partitions = new Map<string, PartitionReport>();
  runs = 0;
  /** Absolute path of the newest version; of a Delta table, its root. */
  version = '';
  seconds = 0;

  constructor(
    readonly tidegate: Tidegate,
    readonly raw: string,
  ) {}

  /** The month's files arrive; on the first of the next one, at noon, a run. It takes what is new or changed, however late. */
  async month(month: Temporal.PlainYearMonth, arriving: readonly Delivery[]): Promise<void> {
    for (const delivery of arriving) land(this.raw, delivery);
    const started = performance.now();
    const { report } = await this.tidegate.run(`replay/${month.toString()}`);
    this.#took(month.toString(), report, started);
    for (const { date, reason } of report.partitions) if (reason !== 'new') say(`  ${date}: ${reason}`);
  }

  #took(name: string, report: Report, started: number): void {
    const seconds = (performance.now() - started) / 1000;
    this.runs += 1;
    this.seconds += seconds;
    for (const partition of report.partitions) this.partitions.set(partition.date, partition);
    if (report.commit) this.version = report.commit.path;
    say(row(name, report.partitions.length, report.totals, seconds));
  }

  /** Of every partition, once. */
  totals(): Counts {
    const sum = { read: 0, superseded: 0, ambiguous: 0, quarantined: 0, published: 0, misfiled: 0, violations: {} };
    for (const { read, superseded, quarantined, published } of this.partitions.values()) {
      sum.read += read;
      sum.superseded += superseded;
      sum.quarantined += quarantined;
      sum.published += published;
    }
    return sum;
  }

  /** For the oracle, which counts the gates that found something, and all others together. */
  counts(): object[] {
    return [...this.partitions.values()].map(({ date, read, superseded, quarantined, published, violations }) => {
      const { not_free, said_once, ...others } = violations;
      const rest = Object.values(others).reduce((sum, count) => sum + count, 0);
      return { date, read, superseded, quarantined, published, not_free, said_once, others: rest };
    });
  }
}

async function main(): Promise<void> {
  const { dir, format } = parameters();
  const folder = prepareFolder(dir);
  const paths = { raw: join(folder, 'raw'), counts: join(folder, 'counts.json') };
  mkdirSync(paths.raw);
  mkdirSync(join(folder, 'pipelines'));
  writeFileSync(join(folder, 'pipelines', 'cdnow.yaml'), contractOf(format));
  mkdirSync(CACHE, { recursive: true });
  const python = await preparePython(SOURCES, CACHE, say);

  const days = readMaster(MASTER);
  const deliveries = deliveriesOf(days);
  say(
    `${count(deliveries.length)} files of ${count(days.size)} days arrive in ${paths.raw}, a run a month follows them:\n`,
  );
  say(HEADER);

  const tidegate = await Tidegate.start(folder);
  const replay = new Replay(tidegate, paths.raw);
  try {
    let landed = 0;
    for (let nth = 0; nth < MONTHS; nth += 1) {
      const month = FIRST_MONTH.add({ months: nth });
      const runsAt = `${month.add({ months: 1 }).toPlainDate({ day: 1 }).toString()}T12:00:00Z`;
      const due = deliveries.findIndex(({ arrivedAt }) => arrivedAt > runsAt);
      const arriving = deliveries.slice(landed, due < 0 ? undefined : due);
      landed += arriving.length;
      await replay.month(month, arriving);
    }
  } finally {
    await tidegate.stop();
  }
  say('');
  say(row('the table', replay.partitions.size, replay.totals(), replay.seconds));

  writeFileSync(paths.counts, JSON.stringify(replay.counts()));
  const verdict = await judge(python, SOURCES, { ...paths, version: replay.version, master: MASTER });
  conclude(verdict, replay);
}

/** Says what came of the comparison; a difference is a failure. */
function conclude({ engine, files, rows, comparisons, violations, dollars, seconds }: Verdict, replay: Replay): void {
  say(`\nOne query over all ${count(files)} files, ${count(rows)} rows (${engine}, ${seconds} s):`);
  const meanings = {
    curated: 'published rows, in their order',
    quarantine: 'quarantined rows, with their reasons and origin, in their order',
    counts: 'partitions with their counts',
    original: 'lines of the original file, each published or quarantined once',
  };
  let equal = true;
  for (const [what, meaning] of Object.entries(meanings) as [keyof typeof meanings, string][]) {
    const { expected, found, missing, surplus } = comparisons[what];
    const same = expected === found && missing === 0 && surplus === 0;
    equal &&= same;
    say(
      same
        ? `  equal      ${count(expected)} ${meaning}`
        : `  DIFFERENT  ${meaning}: ${expected} expected, ${found} found, ${missing} missing, ${surplus} surplus`,
    );
  }
  say(`\nPublished: ${money(dollars.curated)}. In quarantine: ${money(dollars.quarantine)}, because of`);
  for (const [gate, rejected] of Object.entries(violations)) say(`  ${gate.padEnd(10)} ${count(rejected)} rows`);
  say(`\nLook further: ${replay.version}`);
  if (!equal) throw new Error('the published table is not what one query over everything gives');
  say(`Equal: ${replay.runs} runs published exactly what one query over everything gives.`);
}

function parameters(): { dir: string | undefined; format: Format } {
  const { values } = parseArgs({ options: { dir: { type: 'string' }, format: { type: 'string' } } });
  const { dir, format = 'directory' } = values;
  if (format !== 'directory' && format !== 'delta') throw new Error(`--format is directory or delta, not ${format}`);
  return { dir, format };
}

/** cdnow.yaml, with the table's format. */
function contractOf(format: Format): string {
  const text = readFileSync(join(SOURCES, 'cdnow.yaml'), 'utf8');
  if (format === 'directory') return text;
  const publish = 'publish: { path: ../curated }';
  if (!text.includes(publish)) throw new Error(`cdnow.yaml does not say "${publish}"`);
  return text.replace(publish, `publish: { path: ../curated, format: ${format} }`);
}

/** A new or empty folder that was asked for; else our own, made anew. */
function prepareFolder(asked: string | undefined): string {
  const folder = resolve(asked ?? join(SOURCES, 'replay'));
  if (asked === undefined) rmSync(folder, { recursive: true, force: true });
  else if (existsSync(folder) && readdirSync(folder).length > 0) throw new Error(`${folder} is not empty`);
  mkdirSync(folder, { recursive: true });
  return folder;
}

const count = (value: number): string => value.toLocaleString('en');
const money = (text: string): string =>
  Number(text).toLocaleString('en', { style: 'currency', currency: 'USD', minimumFractionDigits: 2 });

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
