import { plural } from '../quality';
import type { Counts } from '../quality';
import type { RunFailure, RunSummary } from '../workflows/messages';

/**
 * The JSON message a webhook receives. `text` alone says it all, and is the key that chat services
 * (Slack, Mattermost, …) show; the rest is for programs.
 */
export interface Notice {
  readonly formatVersion: 1;
  readonly source: 'tidegate';
  /** `failed`: the run failed and published nothing. `rejected`: it published, and quarantined rows. */
  readonly kind: 'failed' | 'rejected';
  readonly pipeline: string;
  readonly requestId: string;
  readonly text: string;
  /** Of the run; null when it failed. */
  readonly counts: Counts | null;
  /** The version published; null when the run failed. */
  readonly version: number | null;
  readonly failure: RunFailure | null;
  /** The command that shows more. */
  readonly command: string;
}

export interface NoticeInput {
  readonly pipeline: string;
  readonly requestId: string;
  readonly summary?: RunSummary;
  readonly failure?: RunFailure;
}

/** What to tell of a run; null when there is nothing to tell: it succeeded and rejected no row. */
export function buildNotice({ pipeline, requestId, summary, failure }: NoticeInput): Notice | null {
  const base = { formatVersion: 1, source: 'tidegate', pipeline, requestId } as const;
  if (failure) {
    const command = `tidegate status ${pipeline}`;
    return {
      ...base,
      kind: 'failed',
      text: `Tidegate: a run of ${pipeline} failed, nothing was published. ${failure.type}: ${failure.message} (more: ${command})`,
      counts: null,
      version: null,
      failure,
      command,
    };
  }
  const totals = summary?.totals;
  if (!summary || !totals || totals.quarantined === 0) return null;
  const version = summary.commit?.version ?? null;
  const command = version === null ? `tidegate report ${pipeline}` : `tidegate report ${pipeline} --version ${version}`;
  const flags = Object.entries(totals.violations)
    .filter(([, count]) => count > 0)
    .map(([gate, count]) => `${gate} ${count}`)
    .join(', ');
  return {
    ...base,
    kind: 'rejected',
    text:
      `Tidegate: ${pipeline} rejected ${plural(totals.quarantined, 'row')} of ${plural(totals.read, 'row')} read ` +
      `(${flags}); ${plural(totals.published, 'row')} passed. (more: ${command})`,
    counts: totals,
    version,
    failure: null,
    command,
  };
}
