// What a gRPC caller hears when the mesh itself has to refuse: the right status, in one head with its reason.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Metadata, status } from "@grpc/grpc-js";
import { SECRET, signToken } from "../support/tokens.ts";
import { GrpcApp } from "./support/grpc_app.ts";
import { type Ending, GrpcCaller, textOf } from "./support/grpc_caller.ts";
import { spawnBeside, startBeside } from "./support/grpc_mesh.ts";
import { GrpcService } from "./support/grpc_service.ts";
import { freePort } from "./support/ports.ts";
import { TestSidecar } from "./support/sidecar.ts";
import { until } from "./support/until.ts";
import { Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

const at = (port: number) => `127.0.0.1:${port}`;

/** A refusal of ours: head and trailers in one, as a client sees it that got no message. */
function assertRefused(ending: Ending, code: status, details: string, reason: string): void {
  assertEquals([ending.code, ending.details], [code, details]);
  assertEquals(ending.trailers.get("x-mesh-reason"), [reason]);
  assertEquals([ending.headers, ending.messages], [undefined, []]);
}

Deno.test("a gRPC caller of the outbound port", async (t) => {
  await using workspace = new Workspace();
  using app = await GrpcApp.listen({
    Unary: ({ request }, callback) => {
      if (String(request) !== "never") callback(null, request);
    },
  });
  await using callee = await startBeside(workspace, { service: "callee", grpc: app.port });
  await using appless = await spawnBeside(workspace, { service: "appless", grpc: freePort() });
  const complaint = () => appless.process.lines.find((line) => line.includes("/test.Calls/Unary"));
  await until("the sidecar without its app", async () => {
    using _wire = await Wire.dial(appless.ports.inbound);
    return true;
  });
  const services = {
    callee: [at(callee.ports.inbound)],
    appless: [at(appless.ports.inbound)],
    gone: [at(freePort())],
    nobody: [],
  };
  await using sidecar = await startBeside(workspace, {
    service: "caller",
    grpc: app.port,
    config: {
      registry: { static: services },
      policy: { upstreams: { callee: { timeout: "300ms" } } },
    },
  });
  const ask = async (authority: string, message = "") => {
    using caller = new GrpcCaller(sidecar.ports.outbound, authority);
    return await caller.unary(message);
  };

  await t.step("hears UNAVAILABLE, in the words of HTTP, where no instance is known", async () => {
    const words = "service unavailable: no healthy instances found for service: nobody";
    assertRefused(await ask("nobody"), status.UNAVAILABLE, words, "no-endpoints");
  });

  await t.step("hears UNAVAILABLE where the other sidecar is gone", async () => {
    assertRefused(await ask("gone"), status.UNAVAILABLE, "bad gateway", "connect-failed");
  });

  await t.step("hears UNAVAILABLE from the other sidecar where its app is gone", async () => {
    assertRefused(await ask("appless"), status.UNAVAILABLE, "bad gateway", "connect-failed");
    assertStringIncludes(await until("its line in the log", complaint), "connect-failed");
  });

  await t.step("hears DEADLINE_EXCEEDED when policy's time is over", async () => {
    const ending = await ask("callee", "never");
    assertRefused(ending, status.DEADLINE_EXCEEDED, "gateway timeout", "deadline");
  });

  await t.step("hears UNIMPLEMENTED for what cannot be a service", async () => {
    const { code, trailers } = await ask("not_a_name");
    assertEquals([code, trailers.get("x-mesh-reason")], [status.UNIMPLEMENTED, [
      "route-not-found",
    ]]);
  });
});

Deno.test("a gRPC caller of a gateway", async (t) => {
  const edge = freePort();
  await using workspace = new Workspace();
  using app = await GrpcApp.listen({ Unary: ({ request }, callback) => callback(null, request) });
  await using callee = await startBeside(workspace, { service: "callee", grpc: app.port });
  await using gateway = await TestSidecar.start(workspace, {
    service: "gateway",
    config: {
      gateway: {
        bind: at(edge),
        jwt: { secret: SECRET },
        routes: [
          { match: { path: "/test.Calls/*" }, to: "callee", auth: "jwt" },
          {
            match: { path: "/limited.Calls/*" },
            to: "callee",
            rewrite: "/test.Calls/*",
            rateLimit: { rate: "1/m", burst: 1 },
          },
        ],
      },
    },
  });
  await gateway.sees("callee", [callee.ports.inbound]);
  using caller = new GrpcCaller(edge);
  const withToken = async (authorization: string) => {
    const metadata = new Metadata();
    metadata.set("authorization", authorization);
    return await caller.unary("hello", { metadata });
  };

  await t.step("hears UNAUTHENTICATED without a token, and with a bad one", async () => {
    const none = await caller.unary("hello");
    const code = status.UNAUTHENTICATED;
    assertRefused(none, code, "missing authorization header", "missing-authorization");
    const basic = await withToken("Basic YTpi");
    assertRefused(basic, code, "invalid authorization format", "invalid-authorization");
    const forged = await withToken("Bearer a.b.c");
    assertRefused(forged, code, "invalid token", "invalid-token");
  });

  await t.step("gets through with a good one", async () => {
    const exp = Math.floor(Date.now() / 1000) + 60;
    const token = await signToken({ user_id: "alice", exp });
    assertEquals(textOf(await withToken(`Bearer ${token}`)), "hello");
  });

  await t.step("hears RESOURCE_EXHAUSTED when it calls too often", async () => {
    const path = "/limited.Calls/Unary";
    assertEquals(textOf(await caller.unary("hello", {}, path)), "hello");
    const second = await caller.unary("hello", {}, path);
    assertRefused(second, status.RESOURCE_EXHAUSTED, "Too Many Requests", "rate-limited");
  });

  await t.step("hears UNIMPLEMENTED where no route leads", async () => {
    const lost = await caller.unary("", {}, "/other.Calls/Unary");
    assertRefused(lost, status.UNIMPLEMENTED, "not found", "route-not-found");
  });
});

Deno.test("an app that dies in the middle of a stream is UNAVAILABLE behind the messages that came", async () => {
  await using workspace = new Workspace();
  await using service = await GrpcService.start(freePort());
  await using callee = await startBeside(workspace, { service: "callee", grpc: service.port });
  using caller = new GrpcCaller(callee.ports.inbound);
  const stream = caller.download("hold 3");
  for (let i = 0; i < 3; i++) assertEquals(String(await stream.next()), String(i));
  service.process.kill("SIGKILL");
  const ending = await stream.rest();
  assertEquals([ending.code, ending.details], [status.UNAVAILABLE, "bad gateway"]);
  assert(ending.headers !== undefined);
  await until("the refusal of the next", async () => {
    const next = await caller.unary();
    return next.code === status.UNAVAILABLE && next.headers === undefined;
  });
});
