import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { fakeExchange } from "../../tests/support/fake_exchange.ts";
import { fakeInputs } from "../../tests/support/fake_snapshot.ts";
import { ProxyError } from "../errors.ts";
import { emptyResponse } from "../http/message.ts";
import { compileSnapshot } from "../snapshot/compile.ts";
import type { ConcurrencySettings } from "../snapshot/concurrency_settings.ts";
import { Metrics } from "../telemetry/metrics.ts";
import { AdaptiveConcurrency } from "./concurrency.ts";

const TEN: ConcurrencySettings = {
  min: 1,
  max: 10,
  initial: 10,
  tolerance: 1.5,
  priorityHeader: "x-priority",
};
const DONE = { bodyBytes: 0, error: undefined };

function rig(inboundConcurrency: ConcurrencySettings | undefined = TEN) {
  const clock = new FakeClock();
  const metrics = new Metrics();
  const filter = new AdaptiveConcurrency(metrics, clock);
  const snapshot = compileSnapshot({ ...fakeInputs(), inboundConcurrency });
  const begin = (priority?: string) => {
    const headers: Record<string, string> = priority === undefined
      ? {}
      : { "x-priority": priority };
    const exchange = fakeExchange({ listener: "inbound", snapshot, headers });
    filter.onRequest(exchange);
    return exchange;
  };
  const fill = (priority?: string) => {
    for (let count = 0;; count++) {
      try {
        begin(priority);
      } catch (error) {
        if (error instanceof ProxyError) return count;
        throw error;
      }
    }
  };
  return { clock, metrics, filter, begin, fill };
}

Deno.test("AdaptiveConcurrency refuses at once what is too much, as overloaded", () => {
  const { begin, fill, metrics } = rig();
  assertEquals(fill(), 10);
  const error = assertThrows(() => begin(), ProxyError);
  assertEquals([error.kind, error.side], ["overloaded", "local"]);
  const text = metrics.render();
  assertStringIncludes(text, "\nmesh_concurrency_limit 10\n");
  assertStringIncludes(text, "\nmesh_concurrency_in_flight 10\n");
  assertStringIncludes(text, 'mesh_concurrency_shed_total{priority="normal"} 2\n');
});

Deno.test("AdaptiveConcurrency sheds what matters least first", () => {
  for (
    const [low, high] of [
      ["low", "high"],
      ["u=7", "u=0"],
      ["u=5, i", "i, u=1"],
    ] as const
  ) {
    const { fill } = rig();
    assertEquals([fill(low), fill("u=3"), fill("rubbish"), fill(high)], [8, 2, 0, 2]);
  }
});

Deno.test("AdaptiveConcurrency has room again when the head of an answer is there, or nobody waits for it", () => {
  const { begin, fill, filter } = rig();
  const answered = begin();
  const left = begin();
  fill();
  filter.onResponse(answered, emptyResponse(200));
  filter.onEnd(answered, emptyResponse(200), DONE);
  filter.onEnd(left, undefined, { ...DONE, error: new Error("gone") });
  assertEquals(fill(), 2);
});

Deno.test("AdaptiveConcurrency without settings lets everything through, and forgets what it knew", () => {
  const { filter, metrics, begin } = rig();
  begin();
  const snapshot = compileSnapshot(fakeInputs());
  for (let count = 0; count < 100; count++) {
    filter.onRequest(fakeExchange({ listener: "inbound", snapshot }));
  }
  assertEquals(metrics.render().includes("\nmesh_concurrency_limit "), false);
});
