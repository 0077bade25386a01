// Routes, tokens, CORS, limits and the login of a running gateway, changed by its policy file under load.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { SECRET, signToken } from "../support/tokens.ts";
import { Load } from "./support/load.ts";
import { freePort } from "./support/ports.ts";
import { RawApp } from "./support/raw_app.ts";
import { TestSidecar } from "./support/sidecar.ts";
import { until } from "./support/until.ts";
import { answer, type Message, statusOf, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

const FOREVER = Math.floor(Date.now() / 1000) + 3600;

/** Its one call is not where any route of these tests leads. */
const PROTO = `syntax = "proto3";
package test;
message Empty {}
service Calls { rpc Call(Empty) returns (Empty); }
`;

function document(edge: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({
    upstreams: { "user-service": { tls: "none" }, "other-service": { tls: "none" } },
    gateway: edge,
  });
}

/** A request without a token, or with one. */
function request(target: string, fields: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${target} HTTP/1.1\r\nhost: shop.example\r\n${lines.join("")}\r\n`;
}

Deno.test("a gateway takes routes, tokens, CORS, limits and login from its policy while it runs", async (t) => {
  await using workspace = new Workspace();
  await using users = new RawApp(({ startLine, wire }) => wire.write(answer(`users ${startLine}`)));
  await using others = new RawApp(({ wire }) => wire.write(answer("others")));
  const edge = freePort();
  const open = { match: { path: "/open/*" }, to: "user-service" };
  await workspace.write("policy.yaml", document({ routes: [open] }));
  await using gateway = await TestSidecar.start(workspace, {
    service: "gateway",
    config: {
      gateway: { bind: `127.0.0.1:${edge}` },
      registry: {
        static: {
          "user-service": [`127.0.0.1:${users.port}`],
          "other-service": [`127.0.0.1:${others.port}`],
        },
      },
      policySource: { file: "policy.yaml" },
    },
  });
  const ask = async (target: string, fields?: Readonly<Record<string, string>>) => {
    using wire = await Wire.dial(edge);
    return await wire.exchange(request(target, fields));
  };
  const put = async (next: Readonly<Record<string, unknown>>) => {
    const { revision } = (await gateway.snapshot()).policy;
    await workspace.write("policy.yaml", document(next));
    await until("another revision", async () => {
      const { policy } = await gateway.snapshot();
      if (policy.problem !== null) throw new Error(policy.problem.message);
      return policy.revision !== revision;
    });
  };
  const load = new Load({ port: edge, clients: 4, request: (id) => request(`/open/${id}`) });

  await t.step("a route comes", async () => {
    assertEquals(statusOf(await ask("/others")), 404);
    await put({ routes: [open, { match: { path: "/others" }, to: "other-service" }] });
    assertEquals((await ask("/others")).body, "others");
  });

  const jwt = { secret: SECRET };
  const guarded = { match: { path: "/users/*" }, to: "user-service", auth: "jwt" };
  const token = { authorization: `Bearer ${await signToken({ user_id: "alice", exp: FOREVER })}` };

  await t.step("tokens are checked, and a login makes them", async () => {
    const login = { passwordless: true };
    await put({ jwt, login, routes: [open, guarded] });
    assertEquals(statusOf(await ask("/users/1")), 401);
    assertEquals(statusOf(await ask("/users/1", token)), 200);
    using wire = await Wire.dial(edge);
    const body = '{"username":"bob"}';
    const { body: made } = await wire.exchange(
      `POST /login HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    const own = { authorization: `Bearer ${JSON.parse(made).token}` };
    assertEquals(statusOf(await ask("/users/1", own)), 200);
  });

  await t.step("another secret makes the old tokens worthless", async () => {
    await put({ jwt: { secret: "another-secret-of-thirty-two-bytes" }, routes: [open, guarded] });
    assertEquals(statusOf(await ask("/users/1", token)), 401);
    assertEquals(statusOf(await ask("/login")), 404);
    await put({ jwt, routes: [open, guarded] });
    assertEquals(statusOf(await ask("/users/1", token)), 200);
  });

  await t.step(
    "a limit comes, and a change of something else does not fill its buckets",
    async () => {
      const limited = { ...guarded, rateLimit: { rate: "1/m", burst: 2 } };
      await put({ jwt, routes: [open, limited] });
      const statuses = async (): Promise<number[]> => [
        statusOf(await ask("/users/1", token)),
        statusOf(await ask("/users/1", token)),
        statusOf(await ask("/users/1", token)),
      ];
      assertEquals(await statuses(), [200, 200, 429]);
      await put({ jwt, routes: [open, limited], cors: { origins: ["https://shop.example"] } });
      assertEquals(await statuses(), [429, 429, 429]);
    },
  );

  await t.step("CORS came with it, and goes", async () => {
    const allowed = async (): Promise<string | undefined> => {
      const message: Message = await ask("/open/x", { origin: "https://shop.example" });
      return message.fields.get("access-control-allow-origin");
    };
    assertEquals(await allowed(), "https://shop.example");
    await put({ jwt, routes: [open, guarded] });
    assertEquals(await allowed(), undefined);
  });

  await t.step("what this instance cannot take is refused whole, with the reason", async () => {
    const refusal = async (next: Readonly<Record<string, unknown>>): Promise<string> => {
      await workspace.write("policy.yaml", document(next));
      const { message } = await until(
        "the refusal",
        async () => (await gateway.snapshot()).policy.problem ?? undefined,
      );
      await put({
        jwt,
        routes: [open, guarded],
        cors: { origins: [`https://n${message.length}.example`] },
      });
      return message;
    };
    const signing = { privateKey: "missing.pem" };
    assertStringIncludes(
      await refusal({ jwt, login: { passwordless: true, signing }, routes: [open] }),
      "missing.pem: there is no such file",
    );
    const transcode = { proto: "missing.proto" };
    assertStringIncludes(
      await refusal({ routes: [{ ...open, transcode }] }),
      "missing.proto:1:1: no such file",
    );
    await workspace.write("calls.proto", PROTO);
    assertStringIncludes(
      await refusal({ routes: [{ ...open, transcode: { proto: "calls.proto" } }] }),
      "calls.proto:1:1: no google.api.http rule in it takes what the route /open/* sends on",
    );
    assertEquals(statusOf(await ask("/users/1", token)), 200);
  });

  await load.stop();
  assertEquals(load.fates.filter(({ status }) => status !== 200), []);
  assert(load.fates.length > 100, `only ${load.fates.length} requests`);
});
