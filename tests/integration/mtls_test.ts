// mTLS between real sidecars: app > sidecar A > mTLS > sidecar B > app of B, and everybody who should not get through.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { run } from "./support/programs.ts";
import { RawApp } from "./support/raw_app.ts";
import { TestSidecar } from "./support/sidecar.ts";
import { until } from "./support/until.ts";
import { answer, get, type Message, statusOf, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

/** Named, so that it is looked for before the first request. */
const policy = { upstreams: { "user-service": {} } };

const STRICT = { policy, identity: { mode: "strict" } };
const PERMISSIVE = { policy, identity: { mode: "permissive" } };

/** Says who it is, what it was asked, and for which user. */
function echo(name: string): RawApp {
  return new RawApp(({ startLine, fields, wire }) =>
    wire.write(answer(`${name} | ${startLine} | ${fields.get("x-user-id") ?? "nobody"}`))
  );
}

async function ask(port: number, request: string): Promise<Message> {
  using wire = await Wire.dial(port);
  return await wire.exchange(request);
}

function withUser(request: string): string {
  return request.replace("\r\n\r\n", "\r\nx-user-id: alice\r\n\r\n");
}

async function metric(sidecar: TestSidecar, line: string): Promise<number> {
  const text = await sidecar.admin("/metrics");
  const found = text.split("\n").find((each) => each.startsWith(`${line} `));
  return found === undefined ? 0 : Number(found.slice(line.length + 1));
}

Deno.test("sidecars in strict mode meet by mTLS and let nobody else in", async (t) => {
  await using workspace = new Workspace();
  await using callers = echo("caller");
  await using users = echo("users");
  await using a = await TestSidecar.start(workspace, {
    service: "order-service",
    app: callers.port,
    config: STRICT,
  });
  await using b = await TestSidecar.start(workspace, {
    service: "user-service",
    app: users.port,
    config: STRICT,
  });
  await a.sees("user-service", [b.ports.inbound]);

  await t.step("a request goes through, and the callee knows by whose certificate", async () => {
    const { body } = await ask(a.ports.outbound, withUser(get("user-service", "/a")));
    assertEquals(body, "users | GET /a HTTP/1.1 | alice");
    await until(
      "the access log names the caller",
      () =>
        b.process.lines.some((line) =>
          line.includes("spiffe://mesh.local/ns/default/svc/order-service")
        ),
    );
    assert(await metric(b, 'mesh_inbound_handshakes_total{result="mtls"}') >= 1);
    assert(await metric(a, "mesh_mtls_connections") >= 1);
  });

  await t.step("a plain caller is told so, and the log says who it was", async () => {
    const message = await ask(b.ports.inbound, get("user-service", "/a"));
    assertEquals(statusOf(message), 403);
    assertStringIncludes(message.body, "mTLS only");
    assertEquals(message.fields.get("x-mesh-reason"), "tls-required");
    assertEquals(await metric(b, 'mesh_inbound_handshakes_total{result="plaintext"}'), 1);
    await until(
      "a line in the log",
      () =>
        b.process.lines.some((line) => line.includes("plaintext") && line.includes("127.0.0.1:")),
    );
  });

  await t.step(
    "openssl finds TLS 1.3 and h2 there, and is refused without a certificate",
    async () => {
      const address = `127.0.0.1:${b.ports.inbound}`;
      const { text } = await run("openssl", "s_client", "-connect", address, "-alpn", "h2");
      assertStringIncludes(text, "TLSv1.3");
      assertStringIncludes(text, "ALPN protocol: h2");
      await until(
        "the refusal is counted",
        async () => await metric(b, 'mesh_inbound_handshakes_total{result="no-certificate"}') >= 1,
      );
    },
  );

  await t.step("the root's key is for its owner alone", async () => {
    const { mode } = await Deno.stat(join(workspace.path, ".mesh", "ca", "root.pem"));
    assertEquals(mode! & 0o777, 0o600);
  });
});

Deno.test("a service that shows another's identity gets no request", async () => {
  await using workspace = new Workspace();
  await using callers = echo("caller");
  let asked = 0;
  await using payments = new RawApp(({ wire }) => {
    asked++;
    return wire.write(answer("paid"));
  });
  await using b = await TestSidecar.start(workspace, {
    service: "payment-service",
    app: payments.port,
    config: STRICT,
  });
  await using a = await TestSidecar.start(workspace, {
    service: "order-service",
    app: callers.port,
    config: {
      ...STRICT,
      registry: { static: { "user-service": [`127.0.0.1:${b.ports.inbound}`] } },
    },
  });
  const message = await ask(a.ports.outbound, get("user-service", "/a"));
  assertEquals(statusOf(message), 502);
  assertEquals(message.fields.get("x-mesh-reason"), "untrusted-upstream");
  assertEquals(asked, 0);
  await until(
    "the log says who answered",
    () =>
      a.process.lines.some((line) =>
        line.includes("svc/payment-service, and") && line.includes("svc/user-service was meant")
      ),
  );
});

Deno.test("a sidecar of another authority is refused, and named by both", async () => {
  await using workspace = new Workspace();
  await using callers = echo("caller");
  await using users = echo("users");
  const stranger = { mode: "strict", selfSigned: { directory: ".mesh/other" } };
  await using b = await TestSidecar.start(workspace, {
    service: "user-service",
    app: users.port,
    config: STRICT,
  });
  await using a = await TestSidecar.start(workspace, {
    service: "order-service",
    app: callers.port,
    config: { policy, identity: stranger },
  });
  await a.sees("user-service", [b.ports.inbound]);
  const message = await ask(a.ports.outbound, get("user-service", "/a"));
  assertEquals(message.fields.get("x-mesh-reason"), "untrusted-upstream");
  await until(
    "unknown-ca in the log",
    () => a.process.lines.some((line) => line.includes("unknown-ca")),
  );
});

Deno.test("in permissive mode plain and mTLS go side by side, and only who proves something speaks for users", async () => {
  await using workspace = new Workspace();
  await using callers = echo("caller");
  await using users = echo("users");
  await using olds = echo("olds");
  await using a = await TestSidecar.start(workspace, {
    service: "order-service",
    app: callers.port,
    config: PERMISSIVE,
  });
  await using b = await TestSidecar.start(workspace, {
    service: "user-service",
    app: users.port,
    config: PERMISSIVE,
  });
  await using old = await TestSidecar.start(workspace, { service: "old-service", app: olds.port });
  await a.sees("user-service", [b.ports.inbound]);
  const request = withUser(get("user-service", "/a"));
  assertEquals((await ask(a.ports.outbound, request)).body, "users | GET /a HTTP/1.1 | alice");
  assertEquals((await ask(b.ports.inbound, request)).body, "users | GET /a HTTP/1.1 | nobody");
  assertEquals(
    (await ask(old.ports.outbound, get("user-service", "/b"))).body,
    "users | GET /b HTTP/1.1 | nobody",
  );
  assertEquals(
    (await ask(a.ports.outbound, get("old-service", "/c"))).body,
    "olds | GET /c HTTP/1.1 | nobody",
  );
  assertEquals(await metric(b, 'mesh_inbound_handshakes_total{result="mtls"}'), 1);
  assert(await metric(b, 'mesh_inbound_handshakes_total{result="plain"}') >= 2);
});

Deno.test("authorization lets in whom its rules name, and a policy pushed meanwhile holds for the next call", async () => {
  await using workspace = new Workspace();
  await using callers = echo("caller");
  await using users = echo("users");
  const rules = (paths: string) =>
    JSON.stringify({
      inbound: { authorization: [{ name: "orders", from: ["order-service"], paths: [paths] }] },
    });
  await workspace.write("policy.json", rules("/users/*"));
  const identity = { mode: "strict" };
  await using b = await TestSidecar.start(workspace, {
    service: "user-service",
    app: users.port,
    config: { identity, policySource: { file: "policy.json" } },
  });
  await using a = await TestSidecar.start(workspace, {
    service: "order-service",
    app: callers.port,
    config: STRICT,
  });
  await using c = await TestSidecar.start(workspace, {
    service: "payment-service",
    app: callers.port,
    config: STRICT,
  });
  const from = (sidecar: TestSidecar, path: string) =>
    ask(sidecar.ports.outbound, get("user-service", path));
  await a.sees("user-service", [b.ports.inbound]);
  assertEquals(statusOf(await from(a, "/users/1")), 200);
  const refused = await from(a, "/credentials/verify");
  assertEquals(statusOf(refused), 403);
  assertEquals(refused.body, '{"error":"no rule allows order-service GET /credentials/verify"}');
  assertEquals(refused.fields.get("x-mesh-reason"), "forbidden");
  assertEquals(statusOf(await from(c, "/users/1")), 403);
  assertEquals(statusOf(await from(a, "/users/%2e%2e/credentials/verify")), 400);
  await workspace.write("policy.json", rules("/credentials/*"));
  await until("the new rules", async () => statusOf(await from(a, "/credentials/verify")) === 200);
  assertEquals(statusOf(await from(a, "/users/1")), 403);
  const refusals = 'mesh_authorization_total{decision="refused",rule="default",dry_run="false"}';
  assert(await metric(b, refusals) >= 3);
});

Deno.test("upstreams.X.tls: none reaches an endpoint without a sidecar in a strict mesh", async () => {
  await using workspace = new Workspace();
  await using callers = echo("caller");
  await using legacy = echo("legacy");
  await using a = await TestSidecar.start(workspace, {
    service: "order-service",
    app: callers.port,
    config: {
      ...STRICT,
      registry: { static: { "legacy-service": [`127.0.0.1:${legacy.port}`] } },
      policy: { upstreams: { "legacy-service": { tls: "none" } } },
    },
  });
  const { body } = await ask(a.ports.outbound, get("legacy-service", "/a"));
  assertEquals(body, "legacy | GET /a HTTP/1.1 | nobody");
});
