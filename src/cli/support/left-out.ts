import type { LeftPartition } from '../../discovery';
import { leftOut } from '../../quality';

/** One line for each reason: what is held, ignored, kept or left for later, and the command that decides about it. */
export function leftOutLines(pipeline: string, left: readonly LeftPartition[]): string[] {
  return leftOut(pipeline, left).map(({ what, held, command }) => {
    if (command === null) return `${what}.`;
    return held ? `${what}. To decide: ${command}` : `${what}; to change that: ${command}`;
  });
}
