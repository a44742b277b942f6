import { mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { codeOf, TerminalError } from '../../errors';
import { fsync, putIfAbsent, readText } from './durable';
import { MARKER, TEMPORARY } from './layout';

/** `tidegate.json`: what makes a folder a table, and whose. */
const markerSchema = z.object({
  format: z.string(),
  formatVersion: z.number(),
  pipeline: z.string(),
});
const FORMAT = 'tidegate/directory';
const FORMAT_VERSION = 1;

const targetError = (message: string): TerminalError => new TerminalError('TargetError', message);

/**
 * Whether the folder is this pipeline's table already: false for a missing or empty folder.
 * @throws TerminalError `TargetError` when it is anything else.
 */
export async function isTable(root: string, pipeline: string): Promise<boolean> {
  const text = await readMarker(root);
  if (text !== null) {
    checkMarker(root, pipeline, text);
    return true;
  }
  const others = await otherEntries(root);
  if (others.length === 0) return false;
  // Made by another process between the two looks.
  if (others.includes(MARKER)) return isTable(root, pipeline);
  throw targetError(
    `publish.path ${root} holds ${others.length} other ${others.length === 1 ? 'entry' : 'entries'} (${others.slice(0, 3).join(', ')}${others.length > 3 ? ', …' : ''}) and no ${MARKER}: it is not a Tidegate table; name a new or empty folder`,
  );
}

/** Makes the folder this pipeline's table. Idempotent; of two pipelines that race, one is refused. */
export async function claimFolder(root: string, pipeline: string): Promise<void> {
  if (await isTable(root, pipeline)) return;
  await mkdir(root, { recursive: true });
  const marker = { format: FORMAT, formatVersion: FORMAT_VERSION, pipeline };
  await putIfAbsent(join(root, MARKER), `${JSON.stringify(marker, null, 2)}\n`);
  await fsync(dirname(root));
  await isTable(root, pipeline);
}

async function readMarker(root: string): Promise<string | null> {
  try {
    return await readText(join(root, MARKER));
  } catch (error) {
    if (codeOf(error) === 'ENOTDIR') throw notAFolder(root);
    throw error;
  }
}

function checkMarker(root: string, pipeline: string, text: string): void {
  const marker = parseMarker(text);
  if (marker === null) {
    throw targetError(
      `${join(root, MARKER)} is not one of Tidegate's; expected {"format", "formatVersion", "pipeline"}`,
    );
  }
  if (marker.format !== FORMAT || marker.formatVersion !== FORMAT_VERSION) {
    throw targetError(
      `the table at ${root} has the format ${marker.format} version ${marker.formatVersion}; this Tidegate writes ${FORMAT} version ${FORMAT_VERSION}; use the Tidegate that made it, or another publish.path`,
    );
  }
  if (marker.pipeline !== pipeline) {
    throw targetError(
      `the table at ${root} belongs to the pipeline "${marker.pipeline}"; the pipeline "${pipeline}" cannot publish there; give it a publish.path of its own`,
    );
  }
}

function parseMarker(text: string): z.infer<typeof markerSchema> | null {
  try {
    return markerSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Names in the root but for those of a claim under way and of a freshly made file system. */
async function otherEntries(root: string): Promise<string[]> {
  try {
    const names = await readdir(root);
    return names.filter((name) => !name.startsWith(TEMPORARY) && name !== 'lost+found').toSorted();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    if (codeOf(error) === 'ENOTDIR') throw notAFolder(root);
    throw error;
  }
}

const notAFolder = (root: string): TerminalError =>
  targetError(`publish.path ${root} is, or lies below, a file; expected a folder, or nothing yet`);
