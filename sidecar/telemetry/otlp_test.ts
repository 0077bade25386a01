import { assertEquals } from "@std/assert";
import { readSpans } from "../../tests/support/otlp.ts";
import { encodeSpans } from "./otlp.ts";
import type { Span } from "./span.ts";

const SPAN: Span = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  parentId: "00f067aa0ba902b7",
  name: "GET /users/{id} — ünïcode",
  kind: "server",
  startEpochMs: 1_800_000_000_123.25,
  endEpochMs: 1_800_000_000_150.75,
  attributes: {
    text: "a",
    flag: true,
    off: false,
    count: 503,
    big: 2 ** 40,
    ratio: 0.25,
    below: -3,
    none: undefined,
  },
  events: [{
    name: "retry",
    epochMs: 1_800_000_000_130,
    attributes: { "mesh.endpoint": "10.0.0.1:80" },
  }],
  error: "no-endpoints",
  traceState: "vendor=x",
};

function roundTrip(spans: readonly Span[]) {
  const resource = { "service.name": "gateway" };
  return readSpans(encodeSpans(spans, resource, { name: "sidecar", version: "1" }));
}

Deno.test("encodeSpans writes what a collector reads", () => {
  const { none: _, ...attributes } = SPAN.attributes;
  assertEquals(roundTrip([SPAN]), [{
    service: "gateway",
    traceId: SPAN.traceId,
    spanId: SPAN.spanId,
    parentId: "00f067aa0ba902b7",
    name: SPAN.name,
    kind: "server",
    startMs: SPAN.startEpochMs,
    durationMs: 27.5,
    attributes,
    events: [{ name: "retry", attributes: { "mesh.endpoint": "10.0.0.1:80" } }],
    error: "no-endpoints",
    traceState: "vendor=x",
  }]);
});

Deno.test("encodeSpans leaves out what is not there, and grows with what is", () => {
  const bare: Span = {
    ...SPAN,
    parentId: undefined,
    error: undefined,
    traceState: undefined,
    attributes: {},
    events: [],
  };
  const [span] = roundTrip([bare]);
  assertEquals([span?.parentId, span?.error, span?.traceState], ["", undefined, ""]);
  const many = Array.from({ length: 600 }, () => ({ ...SPAN, name: "x".repeat(500) }));
  assertEquals(roundTrip(many).length, 600);
  assertEquals(roundTrip([]), []);
});
