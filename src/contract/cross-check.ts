import type { Finding, KeyPath } from './faults';
import { columnTypeFinding } from './issues';
import { didYouMean } from './nearest';
import { formatFinding, overlapFinding, resolveLocation, unsupportedPath } from './overlap';
import type { SoundParts } from './parts';
import { listOf } from './strict';
import { show } from './values';

/** Prefixes of the columns that quarantine adds (SEMANTICS 2.5). */
const RESERVED_PREFIXES = ['_violations', '_source_'];

/** The rules that tie keys together, for everything but gates. Paths are resolved against `baseDir`. */
export function crossCheck(parts: SoundParts, baseDir: string): Finding[] {
  return [
    ...columnFindings(parts),
    ...keyFindings(parts),
    ...policyFindings(parts),
    ...scheduleFindings(parts),
    ...pathFindings(parts, baseDir),
  ];
}

function columnFindings({ columns, partitionColumn }: SoundParts): Finding[] {
  if (columns === undefined) return [];
  if (columns.size === 0) {
    return [{ path: ['columns'], at: 'value', problem: 'no columns', allowed: 'one column or more' }];
  }
  return [...columns.keys()].flatMap((name) => {
    const found = nameFinding(name, partitionColumn);
    return found === null ? [] : [{ path: ['columns', name], at: 'key' as const, ...found }];
  });
}

function nameFinding(name: string, partitionColumn: string | undefined): { problem: string; hint?: string } | null {
  if (name === partitionColumn) {
    return {
      problem: 'the partition column is not declared',
      hint: 'its values are the dates of the folders, and gates may name it; remove this line',
    };
  }
  const prefix = RESERVED_PREFIXES.find((reserved) => name.startsWith(reserved));
  if (prefix !== undefined) {
    return {
      problem: `names that begin with ${prefix} are reserved`,
      hint: 'quarantined rows have columns of this name',
    };
  }
  if (name.trim() === '' || /\p{Cc}/u.test(name)) return { problem: 'not a column name' };
  if (name === '*' || (name.startsWith('^') && name.endsWith('$'))) {
    return { problem: 'not a column name that Polars can select', hint: 'it takes this for a pattern' };
  }
  return name === '__proto__' ? { problem: 'not a column name that JavaScript can hold' } : null;
}

/** A finding when `column` is not declared; gates may also name the partition column. */
export function unknownColumn(column: string, path: KeyPath, parts: SoundParts, user: 'gate' | 'key'): Finding | null {
  const { columns, partitionColumn } = parts;
  if (columns === undefined || columns.has(column)) return null;
  if (user === 'gate' && (partitionColumn === undefined || column === partitionColumn)) return null;
  const isPartition = column === partitionColumn;
  const known = [...columns.keys(), ...(user === 'gate' && partitionColumn !== undefined ? [partitionColumn] : [])];
  return {
    path,
    at: 'value',
    problem: isPartition ? 'the partition column cannot stand here' : 'no such column',
    found: show(column),
    allowed: known.length > 12 ? 'a declared column' : known.join(', '),
    hint: isPartition ? 'it names folders and is no part of a record' : didYouMean(column, known),
  };
}

function keyFindings(parts: SoundParts): Finding[] {
  const { primaryKey = [], orderBy = [] } = parts;
  const ordering = listOf(orderBy).map((entry) => (typeof entry === 'string' ? entry : entry.column));
  return [
    ...namesFindings('primaryKey', primaryKey, listOf(primaryKey), parts),
    ...namesFindings('orderBy', orderBy, ordering, parts),
  ];
}

function namesFindings(key: string, written: unknown, names: readonly string[], parts: SoundParts): Finding[] {
  return names.flatMap((name, index) => {
    const list = Array.isArray(written);
    const inside = list && typeof written[index] === 'object' ? ['column'] : [];
    const path = ['deduplicate', key, ...(list ? [index] : []), ...inside];
    if (names.indexOf(name) < index) {
      return [{ path, at: 'value' as const, problem: 'the column stands twice', found: show(name) }];
    }
    const unknown = unknownColumn(name, path, parts, 'key');
    return unknown === null ? [] : [unknown];
  });
}

/** What scope `table` cannot hold back: the table would no longer be that of a full run (SEMANTICS 3.3). */
function policyFindings({ scope, late, gone }: SoundParts): Finding[] {
  if (scope !== 'table') return [];
  const refused = (key: 'late' | 'gone', found: string, allowed: string, hint: string): Finding => ({
    path: ['incremental', key],
    at: 'value',
    problem: 'not possible in scope table',
    found: show(found),
    allowed: `${allowed}, since deduplicate.scope is table`,
    hint,
  });
  const lateHint = 'rows of a late partition decide about the keys of others; scope partition can leave it out';
  const goneHint = 'keep leaves it published, and tidegate run --remove-gone removes it';
  return [
    ...(late === 'hold' || late === 'ignore' ? [refused('late', late, 'process', lateHint)] : []),
    ...(gone === 'hold' ? [refused('gone', gone, 'keep, remove', goneHint)] : []),
  ];
}

function scheduleFindings({ schedule }: SoundParts): Finding[] {
  if (schedule === undefined) return [];
  if (schedule.cron === undefined && schedule.every === undefined) {
    return [{ path: ['schedule'], at: 'value', problem: 'no time', allowed: 'exactly one of cron and every' }];
  }
  if (schedule.cron !== undefined && schedule.every !== undefined) {
    const problem = 'cron and every both stand here';
    return [{ path: ['schedule', 'every'], at: 'key', problem, allowed: 'one of the two' }];
  }
  return [];
}

function pathFindings({ sourcePath, publishPath, publishFormat }: SoundParts, baseDir: string): Finding[] {
  const findings = [
    sourcePath === undefined ? null : unsupportedPath(sourcePath, ['source', 'path']),
    publishPath === undefined ? null : unsupportedPath(publishPath, ['publish', 'path']),
    formatFinding(publishPath, publishFormat),
  ].filter((finding) => finding !== null);
  if (findings.length > 0 || sourcePath === undefined || publishPath === undefined) return findings;
  const overlap = overlapFinding(resolveLocation(baseDir, sourcePath), resolveLocation(baseDir, publishPath));
  return overlap === null ? [] : [overlap];
}

/** Types that are none. Kept apart from {@link columnFindings}: a bad type must not hide a bad name. */
export function typeFindings(columns: unknown): Finding[] {
  if (typeof columns !== 'object' || columns === null || Array.isArray(columns)) return [];
  return Object.entries(columns).flatMap(([name, text]) => {
    const finding = typeof text === 'string' ? columnTypeFinding(name, text) : null;
    return finding === null ? [] : [finding];
  });
}
