import { join } from 'node:path';

/** Names of what stands in a table's root. The only place that knows them. */
export const MARKER = 'tidegate.json';
export const CURRENT = 'current';
export const SNAPSHOTS = 'snapshots';
export const REQUESTS = 'requests';
export const STAGING = '_staging';
export const RUNS = '_runs';

/** What stands in a version's folder. */
export const COMMIT_FILE = 'commit.json';
export const REPORT_FILE = 'report.json';
export const STATE_FILE = 'state.json';
/** The token: a symlink to the version's own folder, renamed over `current` to show it. */
export const SWING = '.swing';
export const OUTPUT_KINDS = ['curated', 'quarantine'] as const;
export type OutputKind = (typeof OUTPUT_KINDS)[number];
/** What a version holds beside them is linked like them. */
export const FILE_KINDS = [...OUTPUT_KINDS, 'verdicts'] as const;
/** Key indexes, by the identity of their hash. */
export const INDEXES = '_index';

/** Begins the name of what is being deleted: renamed in one step, then removed piece by piece. */
export const TRASH = '.trash-';
/** Begins the name of a file that is being written, before it gets its own name. */
export const TEMPORARY = '.tmp-';

const FOLDER = /^\d{8,15}$/;
const TARGET = /^snapshots\/(\d{8,15})$/;

/** The folder name of a version: `00000012`. */
export const versionName = (version: number): string => String(version).padStart(8, '0');
/** Relative to the table's root: what `current` points to. */
export const versionTarget = (version: number): string => `${SNAPSHOTS}/${versionName(version)}`;
export const versionFolder = (root: string, version: number): string => join(root, SNAPSHOTS, versionName(version));

/** The version a folder under `snapshots` is, or null when its name is none. */
export function parseVersionName(name: string): number | null {
  return FOLDER.test(name) && name === versionName(Number(name)) ? Number(name) : null;
}

/** The version a symlink's target names, or null. A trailing slash is what a person's `ln -s` may leave. */
export function parseVersionTarget(target: string): number | null {
  const name = TARGET.exec(target.replace(/\/$/, ''))?.[1];
  return name === undefined ? null : parseVersionName(name);
}
