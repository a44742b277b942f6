import { z } from 'zod';
import type { ObjectStore } from '../../storage';
import { encodeActions, type Action } from './actions';
import { logKey } from './layout';

/*
 * How vacuum and commits exclude each other. Before vacuum deletes anything that a commit could yet name,
 * it puts an entry of its own into the curated log: only a `commitInfo`, as other writers log the start of
 * their vacuums (PROTOCOL.md, "Commit Provenance Information": any JSON may be stored). So of a commit and a
 * vacuum that meet, one comes first in the log:
 * - the commit: vacuum fails to put its entry, looks at the table again, and spares what is named now;
 * - the vacuum: the commit fails to put its entry, looks at the table again, and finds in it which attempts'
 *   files go, and that the version which it restores is no longer kept.
 */

/** Who wrote a data file. Where the name is not of the form that Tidegate gives, the file stands for itself. */
export function writerOf(path: string): { readonly run: string; readonly attempt: string } {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const [, run = name, attempt = name] = PART.exec(name) ?? [];
  return { run, attempt };
}
const PART = /^part-([0-9A-Za-z-]+)-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-\d+\.(?:parquet|rows)$/;

const schema = z.object({ tidegate: z.object({ pipeline: z.string(), taken: z.array(z.string()) }) });

/** The attempts whose files a vacuum said it takes, by its entry; none for any other entry. */
export function takenBy(actions: readonly Action[], pipeline: string): readonly string[] {
  return actions.flatMap(({ commitInfo }) => {
    const parsed = schema.safeParse(commitInfo);
    return parsed.success && parsed.data.tidegate.pipeline === pipeline ? parsed.data.tidegate.taken : [];
  });
}

/** Puts a vacuum's entry after `head`; false when somebody else's is there. */
export function putFence(
  store: ObjectStore,
  { pipeline, head, taken, now }: { pipeline: string; head: number; taken: readonly string[]; now: Date },
): Promise<boolean> {
  const commitInfo = {
    timestamp: now.getTime(),
    operation: 'VACUUM START',
    operationParameters: {},
    isBlindAppend: false,
    engineInfo: 'tidegate',
    tidegate: { pipeline, taken },
  };
  return store.putIfAbsent(logKey('curated', head + 1), encodeActions([{ commitInfo }]));
}
