/** The activities: thin shells over the plain rooms. */
export { createActivities } from './create-activities';
export { defaultPolicy, type ActivityOptions } from './options';
export { planNow } from './plan-now';
export { runOf } from './run-folder';
export type { Activities, RunPolicy } from './types';
