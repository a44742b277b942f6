const TOKEN =
  /[ \t\r\n]*(?:([{}[\]:,])|"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/uy;

/**
 * The offset at which a text stops being JSON, or null when it is JSON. Node tells the place in some of its
 * messages only; here it is the first thing that is no JSON token, a comma before a bracket, or the end.
 */
export function jsonFault(text: string): number | null {
  try {
    JSON.parse(text);
    return null;
  } catch {
    return firstOddity(text);
  }
}

function firstOddity(text: string): number {
  let at = 0;
  let comma: number | null = null;
  const end = text.trimEnd().length;
  while (at < end) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text);
    if (token === null) return at + (/^[ \t\r\n]*/.exec(text.slice(at))?.[0].length ?? 0);
    at = TOKEN.lastIndex;
    const sign = token[1];
    if (comma !== null && (sign === '}' || sign === ']' || sign === ',')) return comma;
    comma = sign === ',' ? at - 1 : null;
  }
  return end;
}
