// Durations, sizes and rates as operators write them. Pure text to numbers; what is wrong comes back as a value.

/** A value, or what was expected instead of the text that was given (which is never repeated: it may be a secret). */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string };

/** `count` events every `perMs` milliseconds. */
export interface ParsedRate {
  readonly count: number;
  readonly perMs: number;
}

/** Two durations, the second no shorter than the first. */
export interface ParsedDurationRange {
  readonly minMs: number;
  readonly maxMs: number;
}

/** `setTimeout` fires at once beyond this: 2^31 - 1 ms, about 596 hours. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

export const DURATION = "a duration such as 250ms, 10s or 5m";
export const DURATION_RANGE = "a range of durations such as 25ms..250ms";
export const SHARE = "a share such as 20%, at most 100%";
export const SIZE = "a size such as 512B, 64KiB or 1MiB";
export const RATE = "a rate such as 10/s, 100/m or 5/h";

export const DURATION_PATTERN = /^(?:0|([0-9]+(?:\.[0-9]+)?)(ms|s|m|h))$/;
export const DURATION_RANGE_PATTERN =
  /^[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h)\.\.[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h)$/;
export const SHARE_PATTERN = /^([0-9]+(?:\.[0-9]+)?)%$/;
export const SIZE_PATTERN = /^([0-9]+)(B|KiB|MiB|GiB)$/;
export const RATE_PATTERN = /^([0-9]+)\/(s|m|h)$/;

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const UNIT_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

export interface DurationRange {
  /** At least one millisecond: the setting has no "none". */
  readonly positive?: boolean;
  /** Default: what a timer can hold. */
  readonly maxMs?: number;
}

/** Whole milliseconds of `250ms`, `1.5s`, `5m`, `24h` or `0`. */
export function parseDuration(text: string, range: DurationRange = {}): Parsed<number> {
  const match = DURATION_PATTERN.exec(text);
  if (match === null) return expected(DURATION);
  const milliseconds = Number(match[1] ?? 0) * (UNIT_MS[match[2] ?? "ms"] ?? 1);
  const rounded = Math.round(milliseconds);
  if (Math.abs(milliseconds - rounded) > 1e-6) {
    return { ok: false, problem: "finer than a millisecond, expected whole milliseconds" };
  }
  const maxMs = range.maxMs ?? MAX_TIMER_MS;
  if (rounded > maxMs) {
    return { ok: false, problem: `too long, expected at most ${Math.floor(maxMs / 3_600_000)}h` };
  }
  if (range.positive === true && rounded === 0) {
    return { ok: false, problem: `zero is not possible here, expected ${DURATION}` };
  }
  return { ok: true, value: rounded };
}

/** `25ms..250ms`: from one duration, which is not zero, to another that is no shorter. */
export function parseDurationRange(text: string): Parsed<ParsedDurationRange> {
  const [from = "", to = "", ...more] = text.split("..");
  const [min, max] = [parseDuration(from, { positive: true }), parseDuration(to)];
  if (more.length > 0 || !min.ok || !max.ok || max.value < min.value) {
    return expected(DURATION_RANGE);
  }
  return { ok: true, value: { minMs: min.value, maxMs: max.value } };
}

/** `20%` is 0.2. */
export function parseShare(text: string): Parsed<number> {
  const match = SHARE_PATTERN.exec(text);
  const percent = Number(match?.[1]);
  return match === null || percent > 100 ? expected(SHARE) : { ok: true, value: percent / 100 };
}

/** Bytes of `512B`, `64KiB`, `1MiB`; never zero. */
export function parseSize(text: string): Parsed<number> {
  const match = SIZE_PATTERN.exec(text);
  if (match === null) return expected(SIZE);
  const bytes = Number(match[1]) * (UNIT_BYTES[match[2] ?? ""] ?? 1);
  if (bytes < 1 || !Number.isSafeInteger(bytes)) return expected(SIZE);
  return { ok: true, value: bytes };
}

/** `10/s` is 10 events every 1000 ms; never zero. */
export function parseRate(text: string): Parsed<ParsedRate> {
  const match = RATE_PATTERN.exec(text);
  if (match === null) return expected(RATE);
  const count = Number(match[1]);
  if (count < 1 || !Number.isSafeInteger(count)) return expected(RATE);
  return { ok: true, value: { count, perMs: UNIT_MS[match[2] ?? ""] ?? 1000 } };
}

/** The failure "expected WHAT". */
export function expected(what: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem: `expected ${what}` };
}
