/** A contract's schedule as a Temporal schedule. */
export { applySchedule } from './apply';
export type { AppliedSchedule } from './apply';
export { describeSchedule, pipelineOf, scheduleIdOf, temporalSchedule } from './spec';
