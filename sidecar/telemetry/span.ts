// One piece of work of a trace: what OpenTelemetry calls a span, as much of it as a proxy needs.

/** OTLP's numbers. */
export const SPAN_KIND = { server: 2, client: 3 } as const;
export type SpanKind = keyof typeof SPAN_KIND;

export type AttributeValue = string | number | boolean;
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>;

export interface SpanEvent {
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly epochMs: number;
  readonly attributes: Attributes;
}

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined at the root of a trace. */
  readonly parentId: string | undefined;
  readonly name: string;
  readonly kind: SpanKind;
  readonly startEpochMs: number;
  readonly endEpochMs: number;
  readonly attributes: Attributes;
  readonly events: readonly SpanEvent[];
  /** Why it failed; undefined: it did not. */
  readonly error: string | undefined;
  readonly traceState: string | undefined;
}
