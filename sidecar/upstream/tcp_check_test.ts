import { assert, assertEquals } from "@std/assert";
import { settle } from "../../tests/support/fake_clock.ts";
import { upstreamRig } from "../../tests/support/upstream_rig.ts";
import { checkApp } from "./app_check.ts";
import { tcpCheck } from "./tcp_check.ts";

const ADDRESS = { host: "127.0.0.1", port: 8001 };

Deno.test("tcpCheck is content with a connection, which it closes without a word", async () => {
  const { context, upstream } = upstreamRig();
  const result = tcpCheck({ address: ADDRESS, timeoutMs: 3000 }, context);
  await settle();
  assertEquals(await result, { isHealthy: true, detail: "127.0.0.1:8001 listens" });
  assertEquals([upstream.last.received, upstream.last.isClosed], ["", true]);
});

Deno.test("checkApp asks each address of an app that is asked by connections", async () => {
  const { context, upstream } = upstreamRig();
  const health = { checks: [{ kind: "tcp" }], timeoutMs: 3000 } as const;
  const app = { http: ADDRESS, grpc: { host: "127.0.0.1", port: 50051 }, health };
  const { isHealthy, detail } = await checkApp(app, context);
  assert(isHealthy);
  assertEquals(detail, "127.0.0.1:8001 listens; 127.0.0.1:50051 listens");
  assertEquals(upstream.dialled, ["127.0.0.1:8001", "127.0.0.1:50051"]);
});
