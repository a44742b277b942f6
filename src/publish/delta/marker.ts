import { z } from 'zod';
import { TerminalError } from '../../errors';
import type { ObjectStore } from '../../storage';
import { LOG, MARKER } from './layout';
import { readIfThere } from './read';

/** `_tidegate/tidegate.json`: what makes a location a table, and whose. */
const markerSchema = z.object({ format: z.string(), formatVersion: z.number(), pipeline: z.string() });
const FORMAT = 'tidegate/delta';
const FORMAT_VERSION = 1;

/**
 * Whether the location is this pipeline's table already: false for a missing or empty one.
 * @throws TerminalError `TargetError` when it is anything else, with the reason.
 */
export async function isTable(store: ObjectStore, pipeline: string): Promise<boolean> {
  const bytes = await readIfThere(store, MARKER);
  if (bytes !== null) {
    checkMarker(store, pipeline, bytes);
    return true;
  }
  for await (const { key } of store.list('')) {
    if (/(^|\/)\.tmp-|^_tidegate\/probe-/.test(key)) continue;
    // Made by another process between the two looks.
    if (key === MARKER) return isTable(store, pipeline);
    throw targetError(`publish.path ${store.root} is not a Tidegate table: ${await whatItIs(store, key)}`);
  }
  return false;
}

async function whatItIs(store: ObjectStore, key: string): Promise<string> {
  if (key === 'tidegate.json' || (await store.stat('tidegate.json')) !== null) {
    return 'it holds a table in the directory format; use publish.format: directory, or a new path';
  }
  for (const folder of ['', 'curated/', 'quarantine/']) {
    for await (const _ of store.list(`${folder}${LOG}`)) {
      return `it holds a Delta table${folder === '' ? '' : ` at ${folder.slice(0, -1)}`} that Tidegate did not make; name a new or empty location`;
    }
  }
  return `it holds ${key} and no ${MARKER}; name a new or empty location`;
}

/** Makes the location this pipeline's table. Idempotent; of two pipelines that race, one is refused. */
export async function claimRoot(store: ObjectStore, pipeline: string): Promise<void> {
  if (await isTable(store, pipeline)) return;
  const marker = { format: FORMAT, formatVersion: FORMAT_VERSION, pipeline };
  await store.putIfAbsent(MARKER, `${JSON.stringify(marker, null, 2)}\n`);
  await isTable(store, pipeline);
}

function checkMarker(store: ObjectStore, pipeline: string, bytes: Buffer): void {
  const marker = parseMarker(bytes);
  if (marker === null) {
    throw targetError(
      `${store.root}/${MARKER} is not one of Tidegate's; expected {"format", "formatVersion", "pipeline"}`,
    );
  }
  if (marker.format !== FORMAT || marker.formatVersion !== FORMAT_VERSION) {
    throw targetError(
      `the table at ${store.root} has the format ${marker.format} version ${marker.formatVersion}; this Tidegate writes ${FORMAT} version ${FORMAT_VERSION}; use the Tidegate that made it, or another publish.path`,
    );
  }
  if (marker.pipeline !== pipeline) {
    throw targetError(
      `the table at ${store.root} belongs to the pipeline "${marker.pipeline}"; the pipeline "${pipeline}" cannot publish there; give it a publish.path of its own`,
    );
  }
}

function parseMarker(bytes: Buffer): z.infer<typeof markerSchema> | null {
  try {
    return markerSchema.parse(JSON.parse(bytes.toString('utf8')));
  } catch {
    return null;
  }
}

const targetError = (message: string): TerminalError => new TerminalError('TargetError', message);
