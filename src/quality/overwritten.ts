import { dates, plural } from './format';
import type { OtherCommit, OverwrittenPartition, Report } from './report-types';

/** Commits that a warning names; the report has more. */
const SHOWN = 3;

/** The report, with what the commit undoes of other writers' work: known only when the commit is made. */
export function withOverwritten(report: Report, overwritten: readonly OverwrittenPartition[]): Report {
  if (overwritten.length === 0) return report;
  return { ...report, overwritten, warnings: [...overwrittenWarnings(overwritten), ...report.warnings] };
}

/** One for each of the two tables: which dates, what was added and taken away, by whom, and where it can still be read. */
export function overwrittenWarnings(overwritten: readonly OverwrittenPartition[]): string[] {
  return (['curated', 'quarantine'] as const).flatMap((table) => {
    const found = overwritten.filter((one) => one.table === table);
    if (found.length === 0) return [];
    const commits = commitsOf(found);
    return [
      `Other writers had changed ${plural(found.length, 'partition')} of the ${table} table that this version overwrote (${dates(found)}): ` +
        `they had ${changesOf(found)}, in ${named(commits)}. ` +
        `Version ${commits.at(-1)?.version} of the Delta table shows what they had made of it, until it is vacuumed.`,
    ];
  });
}

/** How many partitions other writers had changed, in one table or both. */
export const countOverwritten = (overwritten: readonly OverwrittenPartition[] = []): number =>
  new Set(overwritten.map(({ date }) => date)).size;

function changesOf(found: readonly OverwrittenPartition[]): string {
  const [added, removed] = [sum(found.map((one) => one.added)), sum(found.map((one) => one.removed))];
  return [
    ...(added.files > 0 ? [`added ${amount(added)}`] : []),
    ...(removed.files > 0 ? [`taken away ${amount(removed)} of Tidegate's`] : []),
  ].join(' and ');
}

type Amount = OverwrittenPartition['added'];

const sum = (amounts: readonly Amount[]): Amount =>
  amounts.reduce((all, { files, rows }) => ({
    files: all.files + files,
    rows: all.rows === null || rows === null ? null : all.rows + rows,
  }));

const amount = ({ files, rows }: Amount): string =>
  `${plural(files, 'file')} (${rows === null ? 'rows unknown' : plural(rows, 'row')})`;

/** In order, each once. */
function commitsOf(found: readonly OverwrittenPartition[]): OtherCommit[] {
  const byVersion = new Map(found.flatMap(({ commits }) => commits).map((commit) => [commit.version, commit]));
  return [...byVersion.values()].toSorted((a, b) => a.version - b.version);
}

function named(commits: readonly OtherCommit[]): string {
  const shown = commits.slice(-SHOWN).map(({ version, operation, engine }) => {
    const what = [...(operation === null ? [] : [operation]), ...(engine === null ? [] : [`by ${engine}`])].join(' ');
    return `version ${version}${what && ` (${what})`}`;
  });
  return `${commits.length > SHOWN ? 'earlier versions, ' : ''}${shown.join(', ')}`;
}
