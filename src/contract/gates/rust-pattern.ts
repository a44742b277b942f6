/**
 * What can be said of a Rust regular expression without Rust: brackets that do not pair (a pattern
 * must not be able to close the group the engine puts it in), a backslash at the end, and the features
 * of other dialects that Rust leaves out. Null when nothing is wrong; Polars has the last word.
 */
export function patternFault(pattern: string): string | null {
  let groups = 0;
  let classes = 0;
  for (let at = 0; at < pattern.length; at++) {
    const rest = pattern.slice(at);
    const char = pattern[at];
    if (char === '\\') {
      if (rest.length === 1) return 'a backslash at the end';
      if (classes === 0 && /^\\(?:[1-9]|k[<{'])/.test(rest)) return 'a back-reference, which Rust does not have';
      at += 1;
    } else if (char === '[') {
      // A class inside a class is Rust; a `]` that comes first in a class is itself.
      classes += 1;
      at += /^\[\^?\]/.exec(rest)?.[0].length ?? 1;
      at -= 1;
    } else if (char === ']' && classes > 0) classes -= 1;
    else if (classes > 0) continue;
    else if (char === '(') {
      if (/^\(\?(?:[=!]|<[=!])/.test(rest)) return 'look-around, which Rust does not have';
      if (rest.startsWith('(?>')) return 'an atomic group, which Rust does not have';
      groups += 1;
    } else if (char === ')') {
      groups -= 1;
      if (groups < 0) return 'a closing parenthesis without its opening one';
    }
  }
  if (classes > 0) return 'a character class that is not closed';
  return groups > 0 ? 'a group that is not closed' : null;
}
