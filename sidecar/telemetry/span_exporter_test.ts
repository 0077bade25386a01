import { assertEquals, assertStringIncludes } from "@std/assert";
import { FakeClock, settle } from "../../tests/support/fake_clock.ts";
import { MemoryLog } from "../../tests/support/memory_log.ts";
import { readSpans } from "../../tests/support/otlp.ts";
import { Metrics } from "./metrics.ts";
import type { Span } from "./span.ts";
import { FinalRefusal, SpanExporter } from "./span_exporter.ts";

function span(name: string): Span {
  return {
    traceId: "1".repeat(32),
    spanId: "2".repeat(16),
    parentId: undefined,
    name,
    kind: "server",
    startEpochMs: 1,
    endEpochMs: 2,
    attributes: {},
    events: [],
    error: undefined,
    traceState: undefined,
  };
}

function rig() {
  const clock = new FakeClock();
  const log = new MemoryLog();
  const metrics = new Metrics();
  const sent: string[][] = [];
  const control: { answer: () => Promise<void> } = { answer: () => Promise.resolve() };
  const exporter = new SpanExporter({
    send: async (body) => {
      const names = readSpans(body).map(({ name }) => name);
      await control.answer();
      sent.push(names);
    },
    resource: { "service.name": "a" },
    version: "1",
    clock,
    random: () => 0.5,
    log: log.logger,
    metrics,
  });
  const counts = () =>
    ["exported", "dropped"].map((result) =>
      Number(
        new RegExp(`mesh_spans_total\\{result="${result}"\\} (\\d+)`).exec(metrics.render())?.[1],
      )
    );
  return { clock, log, sent, control, exporter, counts };
}

Deno.test("SpanExporter sends what came within a second in one batch", async () => {
  const { clock, sent, exporter, counts } = rig();
  exporter.add(span("a"));
  exporter.add(span("b"));
  await clock.advance(999);
  assertEquals(sent, []);
  await clock.advance(1);
  assertEquals([sent, counts(), clock.pending], [[["a", "b"]], [2, 0], 0]);
});

Deno.test("SpanExporter does not wait with a full batch, and sends one batch at a time", async () => {
  const { sent, exporter, control } = rig();
  const held = Promise.withResolvers<void>();
  control.answer = () => held.promise;
  for (let i = 0; i < 1100; i++) exporter.add(span(String(i)));
  await settle();
  assertEquals(sent.length, 0);
  held.resolve();
  await settle();
  assertEquals(sent.map(({ length }) => length), [512, 512, 76]);
});

Deno.test("SpanExporter drops and counts what a collector that hangs leaves no room for", async () => {
  const { exporter, counts, control } = rig();
  const held = Promise.withResolvers<void>();
  control.answer = () => held.promise;
  for (let i = 0; i < 5000; i++) exporter.add(span(String(i)));
  await settle();
  assertEquals(counts()[1]! > 2000, true);
  held.resolve();
  await exporter.close();
  assertEquals(counts().reduce((sum, count) => sum + count), 5000);
});

Deno.test("SpanExporter tries three times, says once that it failed and once that it is over", async () => {
  const { clock, sent, exporter, counts, control, log } = rig();
  let tries = 0;
  control.answer = () => Promise.reject(new Error(`try ${++tries}`));
  exporter.add(span("a"));
  await clock.advance(10_000);
  exporter.add(span("b"));
  await clock.advance(10_000);
  assertEquals([tries, counts()], [6, [0, 2]]);
  control.answer = () => Promise.resolve();
  exporter.add(span("c"));
  await clock.advance(1000);
  assertEquals(sent, [["c"]]);
  assertEquals(log.lines.map(({ message }) => message), [
    "the trace collector does not take spans, dropping them",
    "the trace collector takes spans again",
  ]);
  assertStringIncludes(String(log.lines[0]?.["error"]), "try 3");
});

Deno.test("SpanExporter does not try again what was refused for good", async () => {
  const { clock, exporter, counts, control } = rig();
  let tries = 0;
  control.answer = () => {
    tries++;
    return Promise.reject(new FinalRefusal("answered 400"));
  };
  exporter.add(span("a"));
  await clock.advance(10_000);
  assertEquals([tries, counts()], [1, [0, 1]]);
});

Deno.test("SpanExporter sends what is left when it is closed", async () => {
  const { exporter, sent, clock } = rig();
  exporter.add(span("a"));
  await exporter.close();
  assertEquals([sent, clock.pending], [[["a"]], 0]);
});
