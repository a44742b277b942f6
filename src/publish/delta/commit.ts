import { randomInt } from 'node:crypto';
import { VoidPlan, messageOf } from '../../errors';
import { failpoint } from '../../failpoints';
import { withOverwritten, type Report } from '../../quality';
import type { Commit } from '../table';
import { encodeActions } from './actions';
import { logKey, reportKey, stateKey } from './layout';
import { addsOf, datesOf, nextCommit, type Change } from './next-commit';
import { overwrittenBy } from './overwritten';
import { quarantineNow } from './quarantine-now';
import { rollForward } from './roll-forward';
import { sinceOf } from './state';
import { findCommit } from './requests';
import { openView, type Place, type View } from './view';

/** The largest number that `randomInt` takes a range of; tokens differ, or else `putIfAbsent` says so. */
const TOKENS = 2 ** 47;

export interface CommitOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly phase: string; readonly done: number; readonly total: number }) => void;
  readonly onWarning: (message: string) => void;
  /** Asked of every view of the table that the change is about to be committed on; throws when vacuum takes what it brings. */
  readonly check: (view: View) => Promise<void>;
}

/** The table, with everything done that follows from its newest commit. Publishing begins with it. */
export async function openSettled(place: Place): Promise<View> {
  const view = await openView(place);
  if (view.state !== null && !view.settled) await rollForward(place, view.state);
  return view;
}

/**
 * Commits a change by putting the next entry of the curated table's log where there is none (PROTOCOL.md,
 * "Creation of New Log Entries"). That is the only decision: what is written before means nothing without
 * it, what is written after follows from it.
 *
 * Another writer's commit in between is taken up and the change made on top of it, unless it changed rows
 * of the same partitions. A commit of ours in between voids the plan. A vacuum in between may have taken
 * what the change brings: see fence.ts.
 *
 * At most one commit ever holds a request id: the id is looked up among all commits up to the newest, whose
 * entry is there before anything new is committed, and a commit succeeds only if none was made since.
 */
export async function commitChange(
  place: Place,
  opened: View,
  change: Change,
  report: () => Report,
  options: CommitOptions,
): Promise<Commit> {
  const { store } = place;
  const { commit } = change;
  const total = change.partitions.reduce((sum, { curated, quarantine }) => sum + curated.length + quarantine.length, 0);
  let done = 0;
  const adds = await addsOf(store, change, options.signal, () =>
    options.onProgress?.({ phase: 'reading footers', done: ++done, total }),
  );
  await failpoint('publish.before-build');
  const dates = new Set<string>(datesOf(change));

  for (let view = opened; ;) {
    await options.check(view);
    const base = { ...view, quarantine: await quarantineNow(place, view) };
    const since = await sinceOf(store, view.state);
    const token = randomInt(1, TOKENS);
    const { document, actions } = nextCommit(change, adds, base, since, token);
    const told = withOverwritten(report(), overwrittenBy(change, base));
    await putNew(store.putIfAbsent(reportKey(commit.version, token), `${JSON.stringify(told, null, 2)}\n`));
    await putNew(store.putIfAbsent(stateKey(commit.version, token), `${JSON.stringify(document)}\n`));
    await failpoint('publish.before-claim');
    options.signal?.throwIfAborted();

    let failure: unknown = null;
    try {
      if (await store.putIfAbsent(logKey('curated', document.deltaVersion), encodeActions(actions))) {
        await failpoint('publish.claimed');
        await settle(place, options);
        return commit;
      }
    } catch (error) {
      failure = error;
    }
    // Taken by another, or by ourselves and the reply was lost: the log tells.
    const now = await openView(place);
    const newest = now.state?.document;
    if (newest !== undefined && newest.commit.version >= commit.version) {
      await openSettled(place);
      const known = await findCommit(store, newest.commit, commit.requestId);
      if (known !== null) return known;
      throw new VoidPlan(
        `it was made on version ${commit.version - 1}, and the table is at version ${newest.commit.version}`,
      );
    }
    if (failure !== null) throw failure;
    // What lay there already when publishing began is overwritten, and the report says so; what came since voids the plan.
    const touched = [...now.changed].flatMap(([value, by]) => (by > opened.head && dates.has(value) ? [value] : []));
    if (touched.length > 0) {
      throw new VoidPlan(`another writer changed ${touched.toSorted().join(', ')} in ${store.root}/curated meanwhile`);
    }
    view = now;
  }
}

/** What follows from the commit. If it fails, whoever opens the table next does it: the commit stands. */
async function settle(place: Place, { onWarning }: CommitOptions): Promise<void> {
  try {
    await openSettled(place);
    await failpoint('publish.shown');
  } catch (error) {
    onWarning(
      `${place.store.root} has a new version; what follows from it (quarantine, records) is done by whoever opens the table next: ${messageOf(error)}`,
    );
  }
}

/** A token drawn twice: another attempt draws another. */
async function putNew(put: Promise<boolean>): Promise<void> {
  if (!(await put)) throw new Error('the name drawn for a state file is taken; try again');
}
