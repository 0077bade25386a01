// The field `grpc-timeout` (grpc's PROTOCOL-HTTP2.md): up to eight digits and a unit.

const MS_PER_UNIT: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

const MAX_DIGITS = 8;
const MAX_VALUE = 99_999_999;

/** From fine to coarse: the finest unit that holds the time loses least. */
const UNITS = ["n", "u", "m", "S", "M", "H"] as const;

/** Milliseconds, with a fraction where the unit is finer; null where the value is malformed. */
export function parseGrpcTimeout(text: string): number | null {
  const digits = text.length - 1;
  if (digits < 1 || digits > MAX_DIGITS) return null;
  let value = 0;
  for (let i = 0; i < digits; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return null;
    value = value * 10 + digit;
  }
  const unit = MS_PER_UNIT[text[digits]!];
  return unit === undefined ? null : value * unit;
}

/** Rounded down, so that nobody is given more than what is left; what has run out is the smallest there is. */
export function serializeGrpcTimeout(timeoutMs: number): string {
  if (!(timeoutMs > 0)) return "1n";
  for (const unit of UNITS) {
    const value = Math.floor(timeoutMs / MS_PER_UNIT[unit]!);
    if (value <= MAX_VALUE) return `${Math.max(value, 1)}${unit}`;
  }
  return `${MAX_VALUE}H`;
}
