import { z } from 'zod';

/**
 * How this folder uses zod: an error message of a schema says what is **allowed** there, in words
 * ("a whole number of days, 0 or more"); issues.ts adds what was wrong and what was found.
 */

/** An object whose unknown keys are errors; the message of such an error lists the known ones. */
export function strict<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? Object.keys(shape).join(', ') : undefined),
  });
}

/** Text of a certain shape. */
export function text(allowed: string, pattern = /\S/) {
  return z.string({ error: allowed }).regex(pattern, { error: allowed });
}

/** One of a few words. */
export function word<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, { error: words.join(', ') });
}

/** A whole number. */
export function whole(allowed: string, least: number) {
  return z
    .int({ error: allowed })
    .min(least, { error: allowed })
    .max(1_000_000, { error: `${allowed}, below a million` });
}

/** A column's name, or a list of them that is not empty. */
export function columnNames(allowed: string) {
  return z.union([text(allowed), z.array(text('a column name')).min(1, { error: allowed })], { error: allowed });
}

/** A single thing or a list of them, as a list. */
export function listOf<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : [value as T];
}
