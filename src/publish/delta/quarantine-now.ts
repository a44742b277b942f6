import { TerminalError } from '../../errors';
import type { Setup } from './actions';
import { checkForeign, ownVersion, setupAfter, tableOf } from './fold-log';
import { readLog, type LogEntry } from './log-reader';
import { takeUp, type Others } from './other-commits';
import { activeFiles } from './state';
import type { FileRef } from './state-document';
import type { Place, View } from './view';

/** The quarantine's files as they are now, what it is, and the version of its log that says so. */
export interface Quarantine {
  readonly active: Map<string, FileRef[]>;
  /** Whose commits changed rows of partitions since Tidegate wrote them. */
  readonly others: Others;
  readonly seen: number;
  readonly setup: Setup | null;
}

/**
 * To be asked once it is rolled forward.
 * @throws TerminalError `TargetError` when it is not ours any more, or needs what we do not implement.
 */
export async function quarantineNow(
  { store, pipeline, column }: Place,
  { state, settled }: Pick<View, 'state' | 'settled'>,
): Promise<Quarantine> {
  const where = tableOf(store.root, 'quarantine');
  const { entries, head } = await readLog(store, 'quarantine', (state?.document.quarantine.seen ?? -1) + 1);
  const newest = ownVersion(
    entries.findLast(({ actions }) => ownVersion(actions, pipeline) !== null)?.actions ?? [],
    pipeline,
  );
  if (state === null) {
    // Somebody else made the first version meanwhile: the commit will find that out.
    if (entries.length > 0 && newest === null) throw replaced(where, 'its log names no version of this pipeline');
    return { active: new Map(), others: new Map(), seen: head, setup: null };
  }
  const own = activeFiles(state, 'quarantine');
  const active = new Map(own);
  const others: Others = new Map(state.others.quarantine);
  const isOwn = ({ complete, actions }: LogEntry): boolean => !complete && ownVersion(actions, pipeline) !== null;
  const committed = entries.findLastIndex((entry) => isOwn(entry));
  // Likewise of a later version: its columns may be others.
  const isOvertaken = newest !== null && newest.version > state.document.commit.version;
  if (settled && committed < 0 && !entries.some(({ complete }) => complete)) {
    throw replaced(where, `its log does not hold version ${state.document.commit.version}, which Tidegate committed`);
  }
  for (const [index, entry] of entries.entries()) {
    if (isOwn(entry)) {
      // Whatever others had put there before, the commit replaced it.
      for (const value of state.document.quarantine.values) {
        others.delete(value);
        const files = own.get(value);
        if (files === undefined) active.delete(value);
        else active.set(value, files);
      }
    } else {
      // What came before the commit was looked at when it was made.
      if (index > committed && !isOvertaken)
        checkForeign(entry, { setup: state.document.tables.quarantine, column, where });
      takeUp({ active, others }, entry, column);
    }
  }
  return { active, others, seen: head, setup: setupAfter(state.document.tables.quarantine, entries) };
}

const replaced = (where: string, how: string): TerminalError =>
  new TerminalError(
    'TargetError',
    `another writer replaced ${where}: ${how}. Restore the table to before that, or publish to a new path.`,
  );
