// Reads an ExportTraceServiceRequest by a protobuf library, as a collector would.
// deno-lint-ignore-file no-explicit-any -- what a library makes of bytes
import protobuf from "protobufjs";

/** The part of opentelemetry/proto/trace/v1/trace.proto that spans of a proxy use. */
const PROTO = `
syntax = "proto3";
message Request { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message Resource { repeated KeyValue attributes = 1; }
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
message Scope { string name = 1; string version = 2; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4;
  string name = 5; int32 kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
  repeated KeyValue attributes = 9; repeated Event events = 11; Status status = 15;
}
message Event { fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3; }
message Status { string message = 2; int32 code = 3; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue {
  oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; }
}
`;

const REQUEST = protobuf.parse(PROTO).root.lookupType("Request");

export interface ReceivedSpan {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty at a root. */
  readonly parentId: string;
  readonly name: string;
  readonly kind: "server" | "client" | "other";
  readonly startMs: number;
  readonly durationMs: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly {
    readonly name: string;
    readonly attributes: Readonly<Record<string, unknown>>;
  }[];
  /** Undefined where it did not fail. */
  readonly error: string | undefined;
  readonly traceState: string;
}

interface Pair {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** Throws where the bytes are no such request. */
export function readSpans(body: Uint8Array): ReceivedSpan[] {
  const options = { longs: String, bytes: String, defaults: true, oneofs: true };
  const { resourceSpans } = REQUEST.toObject(REQUEST.decode(body), options);
  return resourceSpans.flatMap(({ resource, scopeSpans }: Record<string, any>) => {
    const service = String(attributesOf(resource.attributes)["service.name"]);
    return scopeSpans.flatMap(({ spans }: Record<string, any>) =>
      spans.map((span: Record<string, any>) => spanOf(span, service))
    );
  });
}

function spanOf(span: Record<string, any>, service: string): ReceivedSpan {
  const kinds: Readonly<Record<number, ReceivedSpan["kind"]>> = { 2: "server", 3: "client" };
  const [start, end] = [span.startTimeUnixNano, span.endTimeUnixNano].map(BigInt) as [
    bigint,
    bigint,
  ];
  return {
    service,
    traceId: hexOf(span.traceId),
    spanId: hexOf(span.spanId),
    parentId: hexOf(span.parentSpanId),
    name: span.name,
    kind: kinds[span.kind] ?? "other",
    startMs: Number(start / 1000n) / 1000,
    durationMs: Number((end - start) / 1000n) / 1000,
    attributes: attributesOf(span.attributes),
    events: span.events.map((event: Record<string, any>) => ({
      name: event.name,
      attributes: attributesOf(event.attributes),
    })),
    error: span.status?.code === 2 ? span.status.message : undefined,
    traceState: span.traceState,
  };
}

function attributesOf(pairs: readonly Pair[]): Record<string, unknown> {
  return Object.fromEntries(pairs.map(({ key, value }) => {
    const found = value[String(value["value"])];
    return [key, value["value"] === "intValue" ? Number(found) : found];
  }));
}

function hexOf(base64: string): string {
  return Uint8Array.fromBase64(base64).toHex();
}
