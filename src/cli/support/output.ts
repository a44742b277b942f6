import { createColors, isColorSupported } from 'picocolors';
import type { RenderStyle } from '../../quality';
import { safeBlock } from '../../quality';
import { explain } from './failure';

/** Of a stream: what is no terminal has none of these, whatever the types of Node say. */
interface MaybeTerminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Colours and width for stdout, or for stderr. Colours only on a terminal, and never with NO_COLOR. */
export function styleFor({ isTTY = false, columns }: MaybeTerminal = process.stdout): RenderStyle {
  return {
    // Not undefined, which would mean the library's own guess: yes, under CI.
    colors: createColors(isTTY && isColorSupported),
    width: (isTTY ? columns : undefined) ?? Number.POSITIVE_INFINITY,
  };
}

/** Prints the result of a command. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Prints the one JSON document of a command. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Says something beside the result, on stderr. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Prints what went wrong: in words on stderr, and as the one document on stdout when JSON was asked for. */
export function printFailure(error: unknown, options: { json: boolean; context?: object }): void {
  const { colors } = styleFor(process.stderr);
  const { type, message } = explain(error);
  // Plain errors carry no type that would tell a reader anything.
  const label = type === 'Error' || type === 'UsageError' ? 'error' : `error (${type})`;
  note(`${colors.red(`${label}:`)} ${safeBlock(message)}`);
  if (!options.json) return;
  const faults = error instanceof Error && 'faults' in error ? { faults: error.faults } : {};
  printJson({ ...options.context, error: { type, message, ...faults } });
}

/** `2026-05-08 12:00:01 UTC`. */
export function utc(when: Date | string): string {
  const iso = (typeof when === 'string' ? new Date(when) : when).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}
