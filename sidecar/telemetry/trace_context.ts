// Which trace a request is part of, as it travels: W3C Trace Context (level 1), and B3 where that is all that comes.

export interface TraceContext {
  /** 32 hexadecimal digits, not all zero. */
  readonly traceId: string;
  /** 16 hexadecimal digits, not all zero: the span that calls. */
  readonly spanId: string;
  readonly isSampled: boolean;
}

/** How fields are looked up, names in lower case. */
export interface TraceFields {
  get(name: string): string | undefined;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const HEX = /^[0-9a-f]+$/;
const NO_TRACE = "0".repeat(32);
const NO_SPAN = "0".repeat(16);

/** What the caller says; undefined where it says nothing that can be understood. */
export function extractContext(fields: TraceFields): TraceContext | undefined {
  const traceparent = fields.get("traceparent");
  if (traceparent !== undefined) return parseTraceparent(traceparent);
  const single = fields.get("b3");
  if (single !== undefined) return parseB3(single.split("-"));
  const traceId = fields.get("x-b3-traceid");
  if (traceId === undefined) return undefined;
  const state = fields.get("x-b3-flags") === "1" ? "d" : fields.get("x-b3-sampled") ?? "1";
  return parseB3([traceId, fields.get("x-b3-spanid") ?? "", state]);
}

/** W3C Trace Context, 3.2. Versions to come may say more behind what this one knows. */
export function parseTraceparent(text: string): TraceContext | undefined {
  const [, version, traceId = "", spanId = "", flags = "", more] = TRACEPARENT.exec(text) ?? [];
  if (version === undefined || version === "ff" || (version === "00" && more !== undefined)) {
    return undefined;
  }
  if (traceId === NO_TRACE || spanId === NO_SPAN) return undefined;
  return { traceId, spanId, isSampled: (parseInt(flags, 16) & 1) === 1 };
}

/** The parts of a single b3 field: 64 or 128 bits of trace, span, and whether to sample (1, 0, or d for debug). */
function parseB3(
  [trace = "", span = "", state = "1"]: readonly string[],
): TraceContext | undefined {
  const traceId = trace.toLowerCase().padStart(32, "0");
  const spanId = span.toLowerCase();
  const isSound = HEX.test(traceId) && traceId.length === 32 && HEX.test(spanId) &&
    spanId.length === 16 && traceId !== NO_TRACE && spanId !== NO_SPAN;
  return isSound
    ? { traceId, spanId, isSampled: state === "1" || state === "d" || state === "true" }
    : undefined;
}

export function formatTraceparent({ traceId, spanId, isSampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;
}

/** Bytes fetched at once: a call costs more than what it brings. */
const POOL_BYTES = 8192;
const pool = new Uint8Array(POOL_BYTES);
let used = POOL_BYTES;

function randomHex(bytes: number): string {
  if (used + bytes > POOL_BYTES) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  const hex = pool.subarray(used, used + bytes).toHex();
  used += bytes;
  return hex;
}

/** Never all zero. */
export function newTraceId(): string {
  const id = randomHex(16);
  return id === NO_TRACE ? newTraceId() : id;
}

export function newSpanId(): string {
  const id = randomHex(8);
  return id === NO_SPAN ? newSpanId() : id;
}

/** Whether a trace is among the share that is kept: everybody who asks about one trace hears the same (as OpenTelemetry's TraceIdRatioBased). */
export function isInShare(traceId: string, share: number): boolean {
  if (share >= 1) return true;
  return parseInt(traceId.slice(-14), 16) < share * 2 ** 56;
}
