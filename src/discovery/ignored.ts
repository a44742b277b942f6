import { TerminalError } from '../errors';
import type { ObjectInfo } from '../storage';
import type { NotData } from './listing';
import { compareBytes } from './order';
import type { IgnoredEntry } from './plan-types';

const LISTED = 1_000;
const NAMED_IN_ERROR = 20;

interface Group {
  /** The one file, or the entry of the root that holds all of them. */
  path: string;
  readonly top: string;
  readonly reason: string;
  readonly hidden: boolean;
  count: number;
  bytes: number;
}

/**
 * Collects what is not data, by entry of the root and reason. Housekeeping is not
 * mentioned; hidden Parquet is, since someone might take it for data.
 */
export class IgnoredEntries {
  readonly #groups = new Map<string, Group>();

  add({ key, size }: ObjectInfo, { reason, hidden = false, housekeeping = false }: NotData): void {
    if (housekeeping) return;
    const slash = key.indexOf('/');
    const top = slash === -1 ? key : key.slice(0, slash);
    const id = `${top}/${reason}`;
    const group = this.#groups.get(id);
    if (group === undefined) this.#groups.set(id, { path: key, top, reason, hidden, count: 1, bytes: size });
    else {
      group.path = top;
      group.count += 1;
      group.bytes += size;
    }
  }

  /** Sorted by the UTF-8 bytes of the path; at most 1,000 and one that sums up the rest. */
  summary(): IgnoredEntry[] {
    const groups = this.#sorted();
    const rest = groups.slice(LISTED);
    const listed = groups.slice(0, LISTED).map(({ path, reason, count, bytes }) => ({ path, reason, count, bytes }));
    if (rest.length === 0) return listed;
    const count = rest.reduce((sum, group) => sum + group.count, 0);
    const bytes = rest.reduce((sum, group) => sum + group.bytes, 0);
    return [...listed, { path: '…', reason: `and ${rest.length} more entries`, count, bytes }];
  }

  /** @throws TerminalError `SourceError` naming what is there, hidden things aside. */
  assertNone(root: string): void {
    const groups = this.#sorted().filter(({ hidden }) => !hidden);
    if (groups.length === 0) return;
    const lines = groups
      .slice(0, NAMED_IN_ERROR)
      .map(({ path, reason, count }) => `  ${JSON.stringify(path)}${count > 1 ? ` (${count} files)` : ''}: ${reason}`);
    if (groups.length > NAMED_IN_ERROR) lines.push(`  and ${groups.length - NAMED_IN_ERROR} more`);
    throw new TerminalError(
      'SourceError',
      `the raw zone ${root} holds what is not partitioned data, and source.unrecognized is fail:\n${lines.join('\n')}\n` +
        'Move these out of the raw zone, or set source.unrecognized to warn.',
    );
  }

  #sorted(): Group[] {
    return [...this.#groups.values()].toSorted(
      (a, b) => compareBytes(a.path, b.path) || compareBytes(a.reason, b.reason),
    );
  }
}
