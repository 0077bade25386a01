import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { parsePrometheus } from "../../tests/support/prometheus.ts";
import { DURATION_BOUNDS, Metrics } from "./metrics.ts";

Deno.test("Metrics renders counters and gauges as Prometheus text, each family once", () => {
  const metrics = new Metrics();
  const requests = metrics.counter("requests_total", "Requests by status.");
  requests.with({ status: "200", listener: "edge" }).add();
  requests.with({ status: "200", listener: "edge" }).add(2);
  requests.with({ status: "503", listener: "edge" }).add();
  const memory = metrics.gauge("memory_bytes", "Memory.").with();
  memory.set(5);
  memory.add(-1.5);
  assertEquals(
    metrics.render(),
    `# HELP requests_total Requests by status.
# TYPE requests_total counter
requests_total{status="200",listener="edge"} 3
requests_total{status="503",listener="edge"} 1
# HELP memory_bytes Memory.
# TYPE memory_bytes gauge
memory_bytes 3.5
`,
  );
});

Deno.test("Metrics renders histograms with growing buckets up to +Inf", () => {
  const metrics = new Metrics();
  const family = metrics.histogram("wait_seconds", "Waits.", [0.1, 1]);
  for (const value of [0.05, 0.1, 0.5, 1, 7]) family.with({ to: "a" }).observe(value);
  family.with().observe(0.5);
  const { samples, type } = parsePrometheus(metrics.render()).get("wait_seconds")!;
  assertEquals(type, "histogram");
  assertEquals([...samples], [
    ['wait_seconds_bucket{to="a",le="0.1"}', 2],
    ['wait_seconds_bucket{to="a",le="1"}', 4],
    ['wait_seconds_bucket{to="a",le="+Inf"}', 5],
    ['wait_seconds_sum{to="a"}', 8.65],
    ['wait_seconds_count{to="a"}', 5],
    ['wait_seconds_bucket{le="0.1"}', 0],
    ['wait_seconds_bucket{le="1"}', 1],
    ['wait_seconds_bucket{le="+Inf"}', 1],
    ["wait_seconds_sum", 0.5],
    ["wait_seconds_count", 1],
  ]);
});

Deno.test("Metrics escapes label values, so that none can end its line or its quotes", () => {
  const metrics = new Metrics();
  const evil = 'a"} 1\nforged_total{x="\\';
  metrics.counter("requests_total", "Requests.").with({ path: evil }).add();
  const { samples } = parsePrometheus(metrics.render()).get("requests_total")!;
  assertEquals([...samples], [['requests_total{path="a\\"} 1\\nforged_total{x=\\"\\\\"}', 1]]);
});

Deno.test("Metrics with every kind of series passes a strict reader", () => {
  const metrics = new Metrics();
  metrics.counter("a_total", "A.").with({ l: 'x,y="z"' }).add(1e21);
  metrics.gauge("b", "B.").with().set(1e-9);
  metrics.gauge("empty", "Nothing yet.");
  const durations = metrics.histogram("c_seconds", "C.");
  for (const bound of DURATION_BOUNDS) durations.with({ l: "x" }).observe(bound * 1.01);
  const families = parsePrometheus(metrics.render());
  assertEquals([...families.keys()], ["a_total", "b", "empty", "c_seconds"]);
});

Deno.test("the strict reader refuses what a scraper would", () => {
  const head = "# HELP a A.\n# TYPE a counter\n";
  const bad = [
    "a 1",
    "a{b=1} 1\n",
    'a{b="x\n"} 1\n',
    "a one\n",
    "b 1\n",
    "a 1\na 1\n",
    'a{b="",b=""} 1\n',
  ];
  for (const text of bad) assertThrows(() => parsePrometheus(head + text), Error);
  assertThrows(() => parsePrometheus("# TYPE a counter\na 1\n"), Error);
  const histogram = "# HELP h H.\n# TYPE h histogram\n";
  const body = 'h_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n';
  assertThrows(() => parsePrometheus(histogram + body), Error, "goes down");
});

Deno.test("a family gives the same series for the same labels, and another for others", () => {
  const family = new Metrics().counter("a_total", "A.");
  assertStrictEquals(family.with({ x: "1" }), family.with({ x: "1" }));
  family.with({ x: "1" }).add();
  assertEquals(family.with({ x: "2" }).value, 0);
});

Deno.test("a family holds 2000 series; later ones share `other`, so labels cannot eat the memory", () => {
  const metrics = new Metrics();
  const family = metrics.counter("a_total", "A.");
  for (let i = 0; i < 5000; i++) family.with({ x: String(i), y: "same" }).add();
  const { samples } = parsePrometheus(metrics.render()).get("a_total")!;
  assertEquals(samples.size, 2001);
  assertEquals(samples.get('a_total{x="other",y="other"}'), 3000);
  family.with({ x: "7", y: "same" }).add();
  assertEquals(family.with({ x: "7", y: "same" }).value, 2, "known ones stay their own");
});

Deno.test("a family forgets its series when it is cleared: what is gone has no value", () => {
  const metrics = new Metrics();
  const gauge = metrics.gauge("endpoints", "Endpoints.");
  gauge.with({ cluster: "gone" }).set(3);
  gauge.clear();
  gauge.with({ cluster: "here" }).set(1);
  assertEquals([...parsePrometheus(metrics.render()).get("endpoints")!.samples.keys()], [
    'endpoints{cluster="here"}',
  ]);
});

Deno.test("Metrics asks its collectors before each rendering", () => {
  const metrics = new Metrics();
  const gauge = metrics.gauge("a", "A.").with();
  let asked = 0;
  metrics.onRender(() => gauge.set(++asked));
  metrics.render();
  assertEquals(parsePrometheus(metrics.render()).get("a")!.samples.get("a"), 2);
});

Deno.test("Metrics refuses a name that is taken: two families would be one to a scraper", () => {
  const metrics = new Metrics();
  metrics.counter("a_total", "A.");
  assertThrows(() => metrics.gauge("a_total", "Again."), Error, "a_total");
});

Deno.test("Metrics renders OpenMetrics: counters by their family, exemplars in buckets, and an end", () => {
  const metrics = new Metrics();
  metrics.counter("requests_total", "Requests.").with({ a: "b" }).add(3);
  const times = metrics.histogram("seconds", "Time.", [0.1, 1]).with();
  times.observe(0.5);
  times.observe(5);
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  times.exemplify({ traceId, value: 0.5, epochMs: 1_800_000_000_123.5 });
  assertEquals(
    metrics.render("openmetrics"),
    [
      "# HELP requests Requests.",
      "# TYPE requests counter",
      'requests_total{a="b"} 3',
      "# HELP seconds Time.",
      "# TYPE seconds histogram",
      'seconds_bucket{le="0.1"} 0',
      `seconds_bucket{le="1"} 1 # {trace_id="${traceId}"} 0.5 1800000000.124`,
      'seconds_bucket{le="+Inf"} 2',
      "seconds_sum 5.5",
      "seconds_count 2",
      "# EOF",
      "",
    ].join("\n"),
  );
  parsePrometheus(metrics.render());
});
