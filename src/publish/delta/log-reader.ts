import { z } from 'zod';
import { messageOf } from '../../errors';
import type { ObjectStore } from '../../storage';
import type { OutputKind } from '../table';
import { corrupt, parseAction, parseActions, type Action } from './actions';
import { LOG, logKey } from './layout';
import { readIfThere } from './read';

/** Actions of one commit, or of a checkpoint: then they are the whole state, not a change. */
export interface LogEntry {
  readonly version: number;
  readonly actions: readonly Action[];
  readonly complete: boolean;
}

/** A log from some version on. */
export interface LogTail {
  /** In order. The first is a checkpoint where the commits before it are gone. */
  readonly entries: readonly LogEntry[];
  /** The newest version; one less than asked for when there is nothing there. */
  readonly head: number;
}

/**
 * Reads what was committed from version `from` on, however few files of it are left. Versions have no
 * gaps, so the newest is found by asking for the next one: cheap however long the log is. Where other
 * writers checkpointed and cleaned the log up (PROTOCOL.md, "Metadata Cleanup"), the checkpoint stands
 * in for what is gone.
 * @throws TerminalError `CorruptTable` when what was there before `from` is gone, and nothing stands in for it.
 */
export async function readLog(store: ObjectStore, kind: OutputKind, from: number): Promise<LogTail> {
  const forward = await readCommits(store, kind, from);
  const checkpoint = await newestCheckpoint(store, kind, forward.head, from);
  return checkpoint === null ? forward : withCheckpoint(store, kind, checkpoint);
}

/** What readers make the newest version of: the newest checkpoint, where there is one, and what was committed since. */
export async function readWhole(store: ObjectStore, kind: OutputKind): Promise<LogTail> {
  const bytes = await readIfThere(store, `${kind}/${LOG}/_last_checkpoint`);
  const last = bytes === null ? null : parseLast(bytes);
  const pointed = last === null ? null : { version: last.version, keys: partKeys(kind, last.version, last.parts ?? 1) };
  const checkpoint = pointed ?? (await newestListed(store, kind));
  return checkpoint === null ? readCommits(store, kind, 0) : withCheckpoint(store, kind, checkpoint);
}

async function withCheckpoint(store: ObjectStore, kind: OutputKind, checkpoint: Checkpoint): Promise<LogTail> {
  const actions = await readCheckpoint(store, checkpoint);
  const rest = await readCommits(store, kind, checkpoint.version + 1);
  return { entries: [{ version: checkpoint.version, actions, complete: true }, ...rest.entries], head: rest.head };
}

async function readCommits(store: ObjectStore, kind: OutputKind, from: number): Promise<LogTail> {
  const entries: LogEntry[] = [];
  for (let version = from; ; version += 1) {
    const key = logKey(kind, version);
    const bytes = await readIfThere(store, key);
    if (bytes === null) return { entries, head: version - 1 };
    const actions = parseActions(bytes.toString('utf8'), `${store.root}/${key}`);
    entries.push({ version, actions, complete: false });
  }
}

interface Checkpoint {
  readonly version: number;
  readonly keys: readonly string[];
}

const lastCheckpointSchema = z.object({ version: z.int().nonnegative(), parts: z.int().positive().nullish() });

/**
 * A checkpoint newer than `head`, or null when `head` is the newest version. PROTOCOL.md, "Last
 * Checkpoint File": who cleans up has written it first. Where the file before `from` is gone too and
 * the pointer does not help, the folder is listed.
 */
async function newestCheckpoint(
  store: ObjectStore,
  kind: OutputKind,
  head: number,
  from: number,
): Promise<Checkpoint | null> {
  const bytes = await readIfThere(store, `${kind}/${LOG}/_last_checkpoint`);
  if (bytes !== null) {
    const last = parseLast(bytes);
    if (last !== null && last.version > head) {
      return { version: last.version, keys: partKeys(kind, last.version, last.parts ?? 1) };
    }
    if (last !== null && last.version === head) return null;
  }
  const before = Math.max(head, from - 1);
  if (before >= 0 && (await store.stat(logKey(kind, before))) !== null) return null;
  const newest = await newestListed(store, kind);
  if (newest !== null && newest.version > head) return newest;
  if (before < 0 || newest?.version === head) return null;
  throw corrupt(
    `${store.root}/${kind}/${LOG} no longer holds version ${before}, nor a checkpoint after it: the table was deleted, or replaced by another writer`,
  );
}

/** A pointer that cannot be read is as good as none: it is a convenience, and replaced by every checkpoint. */
function parseLast(bytes: Buffer): z.infer<typeof lastCheckpointSchema> | null {
  try {
    return lastCheckpointSchema.parse(JSON.parse(bytes.toString('utf8')));
  } catch {
    return null;
  }
}

const NAME = /^(\d{20})\.checkpoint(?:\.(\d{10})\.(\d{10}))?\.parquet$/;

/** PROTOCOL.md, "Checkpoints": readers must ignore multi-part checkpoints with missing parts. */
async function newestListed(store: ObjectStore, kind: OutputKind): Promise<Checkpoint | null> {
  const found = new Map<string, { version: number; parts: number; seen: number }>();
  for await (const { key } of store.list(`${kind}/${LOG}`)) {
    const match = NAME.exec(key.slice(`${kind}/${LOG}/`.length));
    if (match === null) continue;
    const [version, parts] = [Number(match[1]), Number(match[3] ?? 1)];
    const one = found.get(`${version}/${parts}`) ?? { version, parts, seen: 0 };
    found.set(`${version}/${parts}`, { ...one, seen: one.seen + 1 });
  }
  const whole = [...found.values()].filter(({ parts, seen }) => seen === parts);
  const newest = whole.toSorted((a, b) => b.version - a.version)[0];
  return newest === undefined ? null : { version: newest.version, keys: partKeys(kind, newest.version, newest.parts) };
}

/** PROTOCOL.md, "Classic checkpoint" and "Multi-part checkpoint". */
function partKeys(kind: OutputKind, version: number, parts: number): string[] {
  const base = `${kind}/${LOG}/${String(version).padStart(20, '0')}.checkpoint`;
  if (parts === 1) return [`${base}.parquet`];
  const ten = (number: number): string => String(number).padStart(10, '0');
  return Array.from({ length: parts }, (_, index) => `${base}.${ten(index + 1)}.${ten(parts)}.parquet`);
}

/** PROTOCOL.md, "Checkpoint Schema": a row an action, a column a kind of action. */
async function readCheckpoint(store: ObjectStore, { keys }: Checkpoint): Promise<Action[]> {
  const { parquetMetadata, parquetReadObjects, parquetSchema } = await import('hyparquet');
  const wanted = ['protocol', 'metaData', 'add', 'txn'];
  const actions: Action[] = [];
  for (const key of keys) {
    const where = `${store.root}/${key}`;
    const bytes = await store.read(key);
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
    try {
      const metadata = parquetMetadata(file);
      const present = parquetSchema(metadata).children.map(({ element }) => element.name);
      const columns = wanted.filter((name) => present.includes(name));
      for (const row of await parquetReadObjects({ file, metadata, columns })) {
        const action = parseAction(row, where);
        if (action.protocol ?? action.metaData ?? action.add ?? action.txn) actions.push(action);
      }
    } catch (error) {
      throw corrupt(`the checkpoint ${where} cannot be read: ${messageOf(error)}`, { cause: error });
    }
  }
  return actions;
}
