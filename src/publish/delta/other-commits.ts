import type { OtherCommit } from '../../quality';
import { safeText } from '../../safe-text';
import { applyForeign, sameFiles, type ActiveFiles } from './fold-log';
import type { LogEntry } from './log-reader';

/** Who changed rows since Tidegate wrote them, by partition value: of each the newest commits, in order. */
export type Others = Map<string, readonly OtherCommit[]>;

/** A writer that appends every minute must not make the state grow. */
const MOST_COMMITS = 5;
/** Characters that are kept of a text of theirs. */
const LONGEST = 100;

/**
 * As {@link applyForeign}, and notes whose commit it was that changed rows. A checkpoint does not tell changed rows from files that
 * were rearranged, so it counts as having changed every partition in which it differs: rather a word too many than none.
 */
export function takeUp(
  { active, others }: { readonly active: ActiveFiles; readonly others: Others },
  entry: LogEntry,
  column: string,
): Set<string> {
  const before = entry.complete ? new Map(active) : null;
  const applied = applyForeign(active, entry, column);
  const changed = before === null ? applied : new Set(differing(before, active));
  for (const value of changed) {
    others.set(value, [...(others.get(value) ?? []), commitOf(entry)].slice(-MOST_COMMITS));
  }
  return changed;
}

function differing(before: ActiveFiles, after: ActiveFiles): string[] {
  return [...new Set([...before.keys(), ...after.keys()])].filter(
    (value) => !sameFiles(before.get(value) ?? [], after.get(value) ?? []),
  );
}

/** PROTOCOL.md, "Commit Provenance Information": what writers say of themselves, if they do, in any JSON. */
function commitOf({ version, actions }: LogEntry): OtherCommit {
  const info = actions.find(({ commitInfo }) => commitInfo !== undefined)?.commitInfo;
  const { operation, engineInfo } = (info ?? {}) as { operation?: unknown; engineInfo?: unknown };
  return { version, operation: textOf(operation), engine: textOf(engineInfo) };
}

const textOf = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? safeText(value.slice(0, LONGEST)) : null;
