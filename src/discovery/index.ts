export { parsePartitionDate, addDays, daysBetween, utcToday, type PartitionDate } from './partition-date';
export { fingerprint, type CountedFile, type SourceFile } from './manifest';
export {
  LeaveReason,
  TakeReason,
  type Decision,
  type IgnoredEntry,
  type IncrementalScope,
  type LeftPartition,
  type Plan,
  type PlannedPartition,
  type PlanScope,
  type RemovedPartition,
  type RunScope,
} from './plan-types';
export { listSource, type ListedPartition, type SourceListing } from './listing';
export { windowStart } from './window';
export { makePlan, planDigest, type PlanInput } from './plan';
export { selectPartitions, type PlanState, type Selection, type SelectionInput } from './selection';
export { readFooter, type Footer, type FooterColumn } from './footers';
export { checkSchema, describeFaults, widens, type SchemaFault } from './schema-check';
export { checkSource, discover, survey, type DiscoverInput, type DiscoverProgress, type SourceCheck } from './discover';
export { discoverInput } from './discover-input';
export { groupPartitions, type PartitionGroup } from './groups';
