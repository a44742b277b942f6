/**
 * What a terminal would act on instead of showing: C0 and C1 controls, DEL, line and paragraph
 * separators, bidirectional overrides and isolates, zero-width characters, lone surrogates.
 */
const UNSAFE =
  // eslint-disable-next-line no-control-regex -- these are what it is about
  /[\u0000-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Cs}/gu;

/** Text from outside (file names, data) made safe to print on one line: `\u{1b}` in place of an escape character. */
export function safeText(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}

/** As {@link safeText}, but line breaks stay: for messages of several lines. */
export function safeBlock(text: string): string {
  return text.split(/\r?\n/).map(safeText).join('\n');
}
