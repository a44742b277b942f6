/** Texts that must not appear in a log, a history, a report or an error, learnt as they are used. */
const secrets = new Set<string>();
/** Shorter ones would redact innocent words. */
const SHORTEST = 4;
const HIDDEN = '***';

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/<(AWSAccessKeyId|StringToSign|StringToSignBytes|CanonicalRequest|CanonicalRequestBytes)>[^<]*/g, `<$1>${HIDDEN}`],
  [/\b(X-Amz-(?:Signature|Credential|Security-Token)=)[^&\s"']+/gi, `$1${HIDDEN}`],
  [/\b(Credential|Signature)=[^,\s"']+/g, `$1=${HIDDEN}`],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b/g, HIDDEN],
  [/(:\/\/)[^/\s:@]+:[^/\s@]+@/g, `$1${HIDDEN}@`],
];

/** From now on {@link redact} hides these. */
export function hide(...texts: readonly (string | undefined)[]): void {
  for (const text of texts) if (text !== undefined && text.length >= SHORTEST) secrets.add(text);
}

/** `error` as the cause of another; undefined where its text would tell a credential. */
export function causeOf(error: unknown): unknown {
  const text = error instanceof Error ? `${error.message}\n${error.stack ?? ''}` : String(error);
  return redact(text) === text ? error : undefined;
}

/** `text` without the credentials that this process uses, or anything that looks like some. */
export function redact(text: string): string {
  let clean = text;
  for (const secret of secrets) {
    clean = clean.replaceAll(secret, HIDDEN);
    const encoded = encodeURIComponent(secret);
    if (encoded !== secret) clean = clean.replaceAll(encoded, HIDDEN);
  }
  return PATTERNS.reduce((cleaned, [pattern, replacement]) => cleaned.replace(pattern, replacement), clean);
}
