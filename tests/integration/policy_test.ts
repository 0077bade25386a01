// A policy file that changes while a sidecar runs: taken over live, without a word to requests under way, or refused whole.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { freePort } from "./support/ports.ts";
import { RawApp } from "./support/raw_app.ts";
import { TestSidecar } from "./support/sidecar.ts";
import { until } from "./support/until.ts";
import { answer, get, statusOf, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

function boundTo(port: number): string {
  return `upstreams: { user-service: { bind: 127.0.0.1:${port} } }\n`;
}

async function answers(port: number): Promise<boolean> {
  using wire = await Wire.dial(port);
  return statusOf(await wire.exchange(get("user-service"))) === 200;
}

async function isRefused(port: number): Promise<boolean> {
  try {
    (await Wire.dial(port)).close();
    return false;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return true;
    throw error;
  }
}

Deno.test("a policy file of a running sidecar", async (t) => {
  const held = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  await using workspace = new Workspace();
  await using users = new RawApp(async ({ target, wire }) => {
    if (target === "/slow") {
      await wire.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nfirst");
      arrived.resolve();
      await held.promise;
      return await wire.write(" last");
    }
    await wire.write(answer("ok"));
  });
  const first = freePort();
  const second = freePort();
  await workspace.write("policy.yaml", boundTo(first));
  await using sidecar = await TestSidecar.start(workspace, {
    service: "order-service",
    app: users.port,
    config: {
      registry: { static: { "user-service": [`127.0.0.1:${users.port}`] } },
      policySource: { file: "policy.yaml" },
    },
  });
  assertEquals(await answers(first), true);
  const { policy: { revision } } = await sidecar.snapshot();
  using slow = await Wire.dial(first);
  await slow.write(get("user-service", "/slow"));
  await arrived.promise;

  await t.step("takes over a change at once", async () => {
    await workspace.write("policy.yaml", boundTo(second));
    await until("the new port answers", () => answers(second));
    await until("the old port is closed", () => isRefused(first));
    const { policy } = await sidecar.snapshot();
    assertEquals(policy.problem, null);
    assertEquals(policy.revision === revision, false, "the revision must change");
  });

  await t.step("lets a request under way end as it began", async () => {
    held.resolve();
    assertEquals((await slow.readMessage())?.body, "first last");
  });

  await t.step("refuses a bad one whole, says why, and goes on as before", async () => {
    const before = (await sidecar.snapshot()).policy.revision;
    await workspace.write("policy.yaml", `${boundTo(first)}inbound: { timeout: soon }\n`);
    const problem = await until(
      "the refusal",
      async () => (await sidecar.snapshot()).policy.problem ?? undefined,
    );
    assertMatch(problem.message, /policy\.yaml:2:\d+: inbound\.timeout: /);
    assertStringIncludes(await sidecar.admin("/metrics"), "\nmesh_policy_refused 1\n");
    assertEquals((await sidecar.snapshot()).policy.revision, before);
    assertEquals(await answers(second), true);
    assertEquals(await isRefused(first), true);
  });

  await t.step("takes over a good one after a bad one", async () => {
    await workspace.write("policy.yaml", boundTo(first));
    await until("the new port answers", () => answers(first));
    assertEquals((await sidecar.snapshot()).policy.problem, null);
    assertStringIncludes(await sidecar.admin("/metrics"), "\nmesh_policy_refused 0\n");
  });
});
