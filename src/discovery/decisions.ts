import { type PartitionDate, addDays, daysBetween } from './partition-date';
import { type Decision, LeaveReason, type LeftPartition, type PlanScope } from './plan-types';

/** Dates without data that a run lists, at most. */
const MOST_MISSING_LISTED = 1_000;

/** Whether a request decided about this date. */
export function isDecided(decision: Decision | undefined, date: PartitionDate): boolean {
  return decision === 'all' || (decision?.includes(date) ?? false);
}

/** The dates a request names that are neither listed nor published. */
export function listedAnyway(scope: PlanScope, known: ReadonlySet<PartitionDate>): LeftPartition[] {
  const missing: LeftPartition[] = [];
  for (const date of namedBy(scope)) {
    if (known.has(date)) continue;
    if (missing.length === MOST_MISSING_LISTED) {
      const last = missing.pop()!;
      missing.push({ ...last, hint: `the first ${MOST_MISSING_LISTED} dates without data are listed; there are more` });
      break;
    }
    missing.push({ date, reason: LeaveReason.NoData });
  }
  return missing;
}

/** In date order, each once. */
function* namedBy(scope: PlanScope): Generator<PartitionDate> {
  if (scope.kind === 'incremental') {
    const named = [scope.includeLate, scope.removeGone].flatMap((dates) => (dates === 'all' ? [] : (dates ?? [])));
    yield* [...new Set(named)].toSorted();
    return;
  }
  if ('select' in scope) return;
  const days = daysBetween(scope.from, scope.to);
  let date = scope.from;
  for (let day = 0; day <= days; day += 1, date = addDays(date, 1)) yield date;
}
