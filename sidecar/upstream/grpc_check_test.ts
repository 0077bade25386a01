import { assert, assertEquals } from "@std/assert";
import { settle } from "../../tests/support/fake_clock.ts";
import { Http2Upstream } from "../../tests/support/http2_upstream.ts";
import { upstreamRig } from "../../tests/support/upstream_rig.ts";
import { grpcAnswer } from "../grpc/errors.ts";
import { encodeMessage } from "../grpc/framing.ts";
import { GRPC } from "../grpc/status.ts";
import { BytesBody, readBody } from "../http/body.ts";
import { FieldList } from "../http/fields.ts";
import { emptyResponse, type Response } from "../http/message.ts";
import { checkApp } from "./app_check.ts";
import { grpcCheck } from "./grpc_check.ts";

const ADDRESS = { host: "127.0.0.1", port: 50051 };

function rig() {
  const { context, clock } = upstreamRig();
  const upstream = new Http2Upstream();
  const check = (service = "") =>
    grpcCheck({ address: ADDRESS, service, timeoutMs: 3000 }, { ...context, dial: upstream.dial });
  return { clock, upstream, check, context: { ...context, dial: upstream.dial } };
}

/** A HealthCheckResponse with that status. */
function says(status: number): Response {
  const body = new BytesBody(encodeMessage(new Uint8Array(status === 0 ? [] : [8, status])));
  Object.defineProperty(body, "trailers", { value: FieldList.of({ "grpc-status": "0" }) });
  return { status: 200, headers: FieldList.of({ "content-type": "application/grpc" }), body };
}

Deno.test("grpcCheck asks grpc.health.v1 for the service, and closes its connection", async () => {
  const { upstream, check } = rig();
  let asked: Uint8Array | null = null;
  upstream.respond = async ({ request }) => {
    asked = await readBody(request.body, 100);
    return says(1);
  };
  assertEquals(await check("a.B"), { isHealthy: true, detail: "grpc.health.v1 says serving" });
  const { request } = upstream.requests[0]!;
  assertEquals(request.target, "/grpc.health.v1.Health/Check");
  assertEquals(request.headers.get("grpc-timeout"), "3000000u");
  assertEquals(asked, encodeMessage(new TextEncoder().encode("\n\x03a.B")));
  assert(upstream.connections[0]!.client.isClosed);
});

Deno.test("grpcCheck takes SERVING for healthy and nothing else", async () => {
  const { upstream, check } = rig();
  for (
    const [status, word] of [[0, "unknown"], [2, "not-serving"], [3, "service-unknown"]] as const
  ) {
    upstream.respond = () => says(status);
    assertEquals(await check(), { isHealthy: false, detail: `grpc.health.v1 says ${word}` });
  }
});

Deno.test("grpcCheck says how a call failed", async () => {
  const { upstream, check } = rig();
  upstream.respond = () => grpcAnswer(GRPC.UNIMPLEMENTED, "no such service");
  assertEquals(
    (await check()).detail,
    "a health check was answered with UNIMPLEMENTED: no such service",
  );
  upstream.respond = () => emptyResponse(404);
  assertEquals((await check()).detail, "a health check was answered with HTTP 404");
  upstream.down.add("127.0.0.1:50051");
  assertEquals(await check(), { isHealthy: false, detail: "refused by the script" });
});

Deno.test("grpcCheck gives up in time and closes its connection", async () => {
  const { upstream, check, clock } = rig();
  upstream.respond = () => new Promise(() => {});
  const result = check();
  await settle();
  clock.advance(3000);
  assertEquals(await result, {
    isHealthy: false,
    isLate: true,
    detail: "no answer within 3000 ms",
  });
  assert(upstream.connections[0]!.client.isClosed);
});

Deno.test("checkApp is as well as its worst check", async () => {
  const { upstream, context } = rig();
  const health = (services: string[]) => ({
    grpc: ADDRESS,
    health: {
      timeoutMs: 1000,
      checks: services.map((service) => ({ kind: "grpc", service } as const)),
    },
  });
  upstream.respond = () => says(1);
  assertEquals((await checkApp(health(["", "a"]), context)).isHealthy, true);
  let calls = 0;
  upstream.respond = () => says(calls++ === 0 ? 1 : 2);
  assertEquals((await checkApp(health(["", "a"]), context)).isHealthy, false);
});
