'use strict';
/**
 * E-commerce transactions, a source partition a day, the same for everybody and every time.
 *
 * - 9 columns: 2 integers, 1 float, 4 strings (two of few values, two of many), 2 timestamps.
 * - 3% of a day's rows are updates: a newer version of a transaction. Nine in ten update one of the same
 *   day; a tenth (0.3% of the rows) one of an earlier day, k days before with probability 1/2^k, k from 1 to 7.
 * - 1% of the rows violate a gate: 0.4% an amount that is not above zero, 0.4% no user, 0.2% a receipt
 *   that another row has.
 * - Rows stand in order of arrival. Files are written by Polars: zstd level 3, statistics.
 */
const { existsSync, linkSync, mkdirSync, renameSync, rmSync } = require('node:fs');
const { join } = require('node:path');
const pl = require('nodejs-polars').default;

/** Part of the folder's name: other data under the same rules is another folder. */
const VERSION = 2;
/** All of it is past: days to come would be left. */
const FIRST_DAY = Date.UTC(2023, 0, 1);
const DAY_MS = 86_400_000;
const MAX_DISTANCE = 7;
const WRITTEN = {
  compression: 'zstd',
  compressionLevel: 3,
  statistics: true,
  sinkOptions: { maintainOrder: true, syncOnClose: 'none', mkdir: false },
};
const STATUSES = ['authorised', 'captured', 'settled', 'refunded'];
const CURRENCIES = ['EUR', 'USD', 'GBP', 'SEK', 'JPY'];

const dateOf = (day) => new Date(FIRST_DAY + day * DAY_MS).toISOString().slice(0, 10);
const sourcePath = (day) => `date=${dateOf(day)}/part-0.parquet`;

/** Numbers in [0, 2^32) that depend on the seed alone (mulberry32). */
function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}

const isUpdate = (i) => i % 100 >= 97;
/** The original that a random number names: never itself an update. */
const originalOf = (random, below) => {
  const j = random % below;
  return isUpdate(j) ? j - (j % 100) : j;
};

/** How many days back an update from another day reaches. */
function distance(random, day) {
  const days = Math.min(MAX_DISTANCE, 1 + Math.clz32(random | 1));
  return Math.min(days, day);
}

function columnsOf(day, rows) {
  const random = randomFrom(0x9e3779b9 ^ day);
  const ids = new Float64Array(rows);
  const receipts = new Float64Array(rows);
  const created = new Float64Array(rows);
  const updated = new Float64Array(rows);
  const users = new Float64Array(rows);
  const amounts = new Float64Array(rows);
  const picks = new Uint32Array(rows);
  const start = FIRST_DAY * 1000;
  const at = (d, i) => start + d * DAY_MS * 1000 + Math.floor((i * DAY_MS * 1000) / rows);
  for (let i = 0; i < rows; i += 1) {
    let [ownDay, own] = [day, i];
    if (isUpdate(i)) {
      if (i % 1000 === 997 && day > 0) [ownDay, own] = [day - distance(random(), day), originalOf(random(), rows)];
      else own = originalOf(random(), i);
    }
    ids[i] = ownDay * rows + own;
    receipts[i] = i % 1000 === 501 ? receipts[i - 1] : ids[i];
    created[i] = at(ownDay, own);
    updated[i] = at(day, i);
    users[i] = i % 250 === 133 ? -1 : random() % 200_003;
    amounts[i] = i % 250 === 7 ? -(random() % 1000) / 100 : (1 + (random() % 99_991)) / 100;
    picks[i] = random();
  }
  return { ids, receipts, created, updated, users, amounts, picks };
}

const pick = (names, column) =>
  names.slice(1).reduce(
    (rest, name, i) =>
      pl
        .when(column.modulo(pl.lit(names.length)).eq(pl.lit(i + 1)))
        .then(pl.lit(name))
        .otherwise(rest),
    pl.lit(names[0]),
  );
const text = (column) => column.cast(pl.Int64).cast(pl.Utf8);
const timestamp = (column) => column.cast(pl.Int64).cast(pl.Datetime('us'));

async function writeDay(path, day, rows) {
  const { ids, receipts, created, updated, users, amounts, picks } = columnsOf(day, rows);
  const c = pl.col;
  // Scattered, so that neighbouring receipts and merchants have nothing in common.
  const receipt = c('receipts').cast(pl.Int64).multiplyBy(pl.lit(48_271)).modulo(pl.lit(2_147_483_647));
  await pl
    .DataFrame({ ids, receipts, created, updated, users, amounts, picks: Float64Array.from(picks) })
    .lazy()
    .select(
      c('ids').cast(pl.Int64).alias('transaction_id'),
      pl
        .when(c('users').lt(pl.lit(0)))
        .then(pl.lit(null))
        .otherwise(c('users'))
        .cast(pl.Int64)
        .alias('user_id'),
      c('amounts').alias('amount'),
      pick(CURRENCIES, c('picks')).alias('currency'),
      pick(STATUSES, c('picks').div(pl.lit(8)).floor()).alias('status'),
      pl
        .concatString([pl.lit('merchant-'), text(c('picks').div(pl.lit(64)).floor().modulo(pl.lit(5003)))], '')
        .alias('merchant'),
      pl
        .concatString([pl.lit('rcpt-'), receipt.cast(pl.Utf8), pl.lit('-'), text(c('receipts'))], '')
        .alias('transaction_receipt'),
      timestamp(c('created')).alias('created_at'),
      timestamp(c('updated')).alias('updated_at'),
    )
    .sinkParquet(path, WRITTEN)
    .collect();
}

/** A raw zone of so many days of so many rows in `folder`: links to files in `cache`, which are made unless they are there. */
async function makeZone(cache, folder, days, rows, log = () => {}) {
  const pool = join(cache, `days-v${VERSION}-${rows}`);
  const missing = Array.from({ length: days }, (_, day) => day).filter(
    (day) => !existsSync(join(pool, sourcePath(day))),
  );
  if (missing.length > 0) log(`making ${missing.length} partitions of ${rows.toLocaleString('en')} rows …`);
  for (const day of missing) {
    mkdirSync(join(pool, `date=${dateOf(day)}`), { recursive: true });
    const making = join(pool, `${day}.making`);
    await writeDay(making, day, rows);
    renameSync(making, join(pool, sourcePath(day)));
  }
  rmSync(folder, { recursive: true, force: true });
  for (let day = 0; day < days; day += 1) {
    mkdirSync(join(folder, `date=${dateOf(day)}`), { recursive: true });
    linkSync(join(pool, sourcePath(day)), join(folder, sourcePath(day)));
  }
  return folder;
}

/**
 * Puts another version of a day into a zone: a hundredth of its amounts are corrected a microsecond later.
 * @param reach of how many days before it, one in a thousand of its rows becomes a newer version of one of theirs.
 */
async function rewriteDay(raw, day, rows, reach) {
  const path = join(raw, sourcePath(day));
  const n = pl.col('n');
  const corrected = n.modulo(pl.lit(100)).eq(pl.lit(11));
  const back = n
    .div(pl.lit(1000))
    .floor()
    .modulo(pl.lit(Math.max(1, reach)))
    .plus(pl.lit(1));
  const elsewhere = n
    .modulo(pl.lit(1000))
    .eq(pl.lit(3))
    .and(pl.lit(reach > 0));
  const id = pl.col('transaction_id');
  await pl
    .scanParquet(path, { glob: false, rowIndexName: 'n' })
    .withColumns(
      pl
        .when(corrected)
        .then(pl.col('amount').plus(pl.lit(1)))
        .otherwise(pl.col('amount'))
        .alias('amount'),
      pl
        .when(corrected)
        .then(pl.col('updated_at').cast(pl.Int64).plus(pl.lit(1)).cast(pl.Datetime('us')))
        .otherwise(pl.col('updated_at'))
        .alias('updated_at'),
      pl
        .when(elsewhere)
        .then(id.minus(back.multiplyBy(pl.lit(rows))))
        .otherwise(id)
        .cast(pl.Int64)
        .alias('transaction_id'),
    )
    .drop('n')
    .sinkParquet(`${path}.new`, WRITTEN)
    .collect();
  // A new file: the one that was there belongs to the cache too.
  renameSync(`${path}.new`, path);
}

module.exports = { dateOf, makeZone, rewriteDay, sourcePath };
