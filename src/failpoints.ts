import { readFileSync, writeSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from './errors';

/**
 * Named places where a test, or the demo, can make this process die, throw or stall. They are the
 * steps between which a crash must be harmless.
 *
 * `TIDEGATE_FAILPOINTS` is a comma-separated list of `name=action`, where the action is
 * - `kill`: print the failpoint's name to standard error, then SIGKILL this process;
 * - `throw`: throw an Error;
 * - `stall:500`: wait that many milliseconds, then go on.
 *
 * `name=action@/path/to/marker` fires only while the marker file does not exist, and creates it
 * first: once over all restarts. Of two processes that arrive together, one fires.
 *
 * `TIDEGATE_FAILPOINTS=@/path/to/file` takes the list from that file, read again at every failpoint, so
 * that the next fault of a process that lives on can be named. No file: no failpoint.
 *
 * Names in use:
 * - `<activity>.before`, `<activity>.during`, `<activity>.after`, such as `transformAndGate.during`: an attempt
 *   of the activity begins, its work is under way, it is done and not yet reported;
 * - `publish.before-build`: everything was checked, nothing is written;
 * - `publish.built`: the tree stands in staging, not all of it durable;
 * - `publish.before-claim`: the tree is complete and durable;
 * - `publish.claimed`: the version's number is taken, `current` still shows the one before; of a Delta table, its
 *   entry stands in the curated log, and nothing that follows from it is written;
 * - `publish.indexed`: the request id is known, `current` still shows the version before;
 * - `publish.shown`: the version is current, its publisher does not know it yet
 *   (these two also fire in whoever finishes what an interrupted publisher left);
 * - `retention.hidden`: an old version's data is out of sight and not yet deleted;
 * - `<activity>.before`, `.during` and `.after`;
 * - `store#<n>.before` and `.after`, `store.<operation>#<n>.before` and `.after`, `store.<operation>.<extension>#<n>.before`
 *   and `.after`, such as `store.write.idx#1.before`: the n-th storage operation (of that name, on keys with that extension)
 *   in this process, from 1; thrown `after` it, the operation was done and its reply is lost;
 * - `local.written.<extension>`, such as `local.written.idx`: a local file is whole and durable under a temporary name, and
 *   not yet there under its own.
 */
export async function failpoint(name: string): Promise<void> {
  const setting = failpointSetting();
  if (setting === '') return;
  for (const rule of parseFailpoints(setting)) {
    if (rule.name === name && (await arm(rule.marker))) await fire(rule);
  }
}

/** The list in force: as the variable says, or the file it names; '' for none. */
export function failpointSetting(): string {
  const setting = process.env['TIDEGATE_FAILPOINTS'] ?? '';
  if (!setting.startsWith('@')) return setting;
  try {
    return readFileSync(setting.slice(1), 'utf8').trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  }
}

export interface FailpointRule {
  readonly name: string;
  readonly action: 'kill' | 'throw' | 'stall';
  /** Of a stall. */
  readonly milliseconds: number;
  readonly marker: string | null;
}

const RULE = /^(?<name>[^=\s]+)=(?:(?<action>kill|throw)|stall:(?<ms>\d+))(?:@(?<marker>.+))?$/;

/** @throws Error naming the part that cannot be read: a misspelt failpoint must not pass for a survived one. */
export function parseFailpoints(setting: string): FailpointRule[] {
  const parts = setting.split(',').map((part) => part.trim());
  return parts
    .filter((part) => part !== '')
    .map((part) => {
      const groups = RULE.exec(part)?.groups;
      if (!groups) {
        throw new Error(
          `TIDEGATE_FAILPOINTS: cannot read "${part}"; expected name=kill, name=throw or name=stall:<milliseconds>, each with an optional @marker-file`,
        );
      }
      const action = (groups['action'] ?? 'stall') as FailpointRule['action'];
      return {
        name: groups['name']!,
        action,
        milliseconds: Number(groups['ms'] ?? 0),
        marker: groups['marker'] ?? null,
      };
    });
}

async function arm(marker: string | null): Promise<boolean> {
  if (marker === null) return true;
  try {
    await writeFile(marker, '', { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function fire(rule: FailpointRule): Promise<void> {
  switch (rule.action) {
    case 'stall':
      await sleep(rule.milliseconds);
      return;
    case 'throw':
      throw new Error(`failpoint ${rule.name}`);
    case 'kill':
      // Synchronous: nothing of this process runs after the next line.
      writeSync(2, `failpoint ${rule.name}: killing process ${process.pid}\n`);
      process.kill(process.pid, 'SIGKILL');
      // The signal arrives when the kernel likes; do not go on until it does.
      await new Promise(() => {});
  }
}
