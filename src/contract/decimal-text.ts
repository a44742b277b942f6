/**
 * Decimal numbers as text, exactly: a JavaScript number holds 15 to 17 digits, a decimal column up to 38.
 * The value is `digits` / 10^`scale`.
 */
export interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

const SHAPE = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/;

/** The number that `value` writes, in lowest terms, or null when it is not one. */
export function parseDecimal(value: string | number): Decimal | null {
  const match = SHAPE.exec(String(value));
  if (!match || match[0].length > 400) return null;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  let digits = BigInt(whole + fraction);
  let scale = fraction.length - Number(exponent);
  if (scale < 0) {
    digits *= 10n ** BigInt(-scale);
    scale = 0;
  }
  while (scale > 0 && digits % 10n === 0n) {
    digits /= 10n;
    scale -= 1;
  }
  return { digits: sign === '-' ? -digits : digits, scale };
}

/** Plain notation, no exponent and no idle zeros: `-12.5`. */
export function formatDecimal({ digits, scale }: Decimal): string {
  const sign = digits < 0n ? '-' : '';
  const figures = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, '0');
  return sign + (scale === 0 ? figures : `${figures.slice(0, -scale)}.${figures.slice(-scale)}`);
}

/** Negative when `a` is less, 0 when equal, positive when greater. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const scale = Math.max(a.scale, b.scale);
  const difference = a.digits * 10n ** BigInt(scale - a.scale) - b.digits * 10n ** BigInt(scale - b.scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** Digits before the decimal point; 0 for a number below one. */
export function wholeDigits({ digits, scale }: Decimal): number {
  const whole = (digits < 0n ? -digits : digits) / 10n ** BigInt(scale);
  return whole === 0n ? 0 : whole.toString().length;
}
