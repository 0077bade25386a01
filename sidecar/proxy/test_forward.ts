// What the tests of Forwarder share: one cluster behind it, and its answers.
import { assert } from "@std/assert";
import { settle } from "../../tests/support/fake_clock.ts";
import { fakeExchange, type FakeRequest } from "../../tests/support/fake_exchange.ts";
import { fakeCluster } from "../../tests/support/fake_snapshot.ts";
import { ok, outcome } from "../../tests/support/scripted_upstream.ts";
import { type UpstreamRig, upstreamRig } from "../../tests/support/upstream_rig.ts";
import { ProxyError } from "../errors.ts";
import { readBody } from "../http/body.ts";
import type { Response } from "../http/message.ts";
import { type PoolLimits } from "../upstream/pool.ts";
import { Upstreams } from "../upstream/upstreams.ts";
import { Forwarder } from "./forward.ts";

export const ONE = ["10.0.0.1:80"];
export const FOUR = ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80"];

/** A forwarder over a scripted upstream. */
export function fakeForwarder(
  { context, timeouts, clock }: UpstreamRig,
  upstreams: Upstreams = new Upstreams(context),
): Forwarder {
  return new Forwarder({ upstreams, timeouts, clock, random: () => 0 });
}

/** A forwarder to one cluster. `begin` starts an exchange; a response comes when the test sends one. */
export function rig(addresses: readonly string[] = ONE, limits: Partial<PoolLimits> = {}) {
  const parts = upstreamRig(limits);
  const upstreams = new Upstreams(parts.context);
  const forwarder = fakeForwarder(parts, upstreams);
  const cluster = fakeCluster("user-service", addresses);
  const begin = async (request: FakeRequest = {}, timeoutMs = 5000) => {
    const exchange = fakeExchange({ listener: "outbound", ...request });
    const response = forwarder.forward(exchange, cluster, timeoutMs);
    response.catch(() => {});
    await settle();
    return { exchange, response };
  };
  /** A whole exchange, after which its connection is idle. */
  const warmUp = async (count = 1) => {
    const begun = [];
    for (let i = 0; i < count; i++) begun.push(await begin());
    for (const transport of parts.upstream.open.slice(-count)) transport.send(ok());
    for (const { response } of begun) await readBody((await response).body, 1024);
    for (const transport of parts.upstream.open) transport.takeReceived();
  };
  return { ...parts, upstreams, forwarder, cluster, begin, warmUp };
}

/** The error that the exchange ends in by now. */
export async function errorOf(response: Promise<Response>): Promise<ProxyError> {
  const result = await outcome(response);
  assert(result.is === "failed", `it is ${result.is}`);
  assert(result.error instanceof ProxyError, String(result.error));
  return result.error;
}

export function gone(): ProxyError {
  return new ProxyError("downstream-gone", "the client went away", { side: "downstream" });
}
