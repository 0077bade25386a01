// A gateway whose keys are published by a real identity provider: one that rotates them under load, and one that is away.
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { fetchJson } from "../../sidecar/net/fetch_json.ts";
import { type TokenKey, tokenKey } from "../support/token_keys.ts";
import { IdentityProvider } from "./support/identity_provider.ts";
import { Load } from "./support/load.ts";
import { freePort } from "./support/ports.ts";
import { RawApp } from "./support/raw_app.ts";
import { SIDECAR, TestSidecar } from "./support/sidecar.ts";
import { until } from "./support/until.ts";
import { answer, get, type Message, statusOf, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

const ISSUER = "https://id.example";

async function tokenOf(key: TokenKey, claims: object = {}): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + 3600;
  return await key.sign({ iss: ISSUER, aud: "shop", user_id: "alice", exp, ...claims });
}

function request(token: string, target = "/"): string {
  return get("edge", target, `authorization: Bearer ${token}\r\n`);
}

async function ask(port: number, text: string): Promise<Message> {
  using wire = await Wire.dial(port);
  return await wire.exchange(text);
}

function outcome({ fields, ...message }: Message): string {
  return `${statusOf({ ...message, fields })} ${fields.get("x-mesh-reason") ?? message.body}`;
}

/** A gateway before an app that says who is calling. */
function startGateway(
  workspace: Workspace,
  { provider, app, edge }: { provider: IdentityProvider; app: number; edge: number },
): Promise<TestSidecar> {
  const issuers = [{ issuer: ISSUER, audience: "shop", jwksUri: provider.url }];
  const writers = { jwt: { scopes: ["write"] } };
  return TestSidecar.start(workspace, {
    service: "gateway",
    config: {
      registry: { static: { "user-service": [`127.0.0.1:${app}`] } },
      gateway: {
        bind: `127.0.0.1:${edge}`,
        jwt: { issuers },
        routes: [
          { match: { path: "/*" }, to: "user-service", auth: "jwt" },
          { match: { path: "/write" }, to: "user-service", auth: writers },
          { match: { path: "/maybe" }, to: "user-service", auth: "optional" },
        ],
      },
    },
  });
}

function userApp(): RawApp {
  return new RawApp(async ({ wire, fields }) => {
    await wire.write(answer(fields.get("x-user-id") ?? "nobody"));
  });
}

Deno.test("a gateway follows the keys of its identity provider", async (t) => {
  await using workspace = new Workspace();
  await using app = userApp();
  await using provider = new IdentityProvider();
  const keys = await Promise.all(["ES256", "RS256", "EdDSA"].map((alg) => tokenKey(alg)));
  const [first, second, third] = keys as [TokenKey, TokenKey, TokenKey];
  const edge = freePort();
  await using sidecar = await startGateway(workspace, { provider, app: app.port, edge });

  await t.step(
    "says 503 while the provider is away at the start, and takes tokens once it is there",
    async () => {
      const text = request(await tokenOf(first));
      assertEquals(outcome(await ask(edge, text)), "503 jwks-unavailable");
      assertEquals(outcome(await ask(edge, get("edge"))), "401 missing-authorization");
      assertStringIncludes(
        await sidecar.admin("/metrics"),
        `mesh_jwks_keys{jwks="${provider.url}"} 0`,
      );
      provider.keys = [first.jwk];
      provider.start();
      await until("keys", async () => statusOf(await ask(edge, text)) === 200);
      assertEquals(outcome(await ask(edge, text)), "200 alice");
    },
  );

  await t.step("rotates twice under load without one failure", async () => {
    let signer = first;
    const tokens = new Map<TokenKey, string>();
    for (const key of keys) tokens.set(key, await tokenOf(key));
    const load = new Load({
      port: edge,
      clients: 8,
      request: (id) => request(tokens.get(signer)!, `/${id}`),
    });
    for (const next of [second, third]) {
      const fetches = provider.fetches;
      provider.keys = [signer.jwk, next.jwk];
      signer = next; // at once: the first of its tokens makes the gateway ask
      await until("the new key", () => Promise.resolve(provider.fetches > fetches));
      const count = load.fates.length;
      await until("requests by it", () => Promise.resolve(load.fates.length > count + 200));
    }
    await load.stop();
    const failed = load.fates.filter(({ status }) => status !== 200);
    assertEquals(failed, []);
    assert(load.fates.length > 400, `${load.fates.length}`);
  });

  await t.step("is not to be driven by made-up names of keys", async () => {
    const fetches = provider.fetches;
    for (let i = 0; i < 50; i++) {
      const forged = await tokenOf(third, {}).then((token) => token.replace(/^[^.]+/, header(i)));
      assertEquals(outcome(await ask(edge, request(forged))), "401 invalid-token");
    }
    assert(provider.fetches - fetches <= 4, `${provider.fetches - fetches} fetches`);
  });

  await t.step("asks routes' scopes, and lets nobody in where a token is optional", async () => {
    const plain = await tokenOf(third);
    const writer = await tokenOf(third, { scope: "read write" });
    const refused = await ask(edge, request(plain, "/write"));
    assertEquals(outcome(refused), "403 insufficient-scope");
    assertMatch(refused.fields.get("www-authenticate") ?? "", /insufficient_scope.*scope="write"/);
    assertEquals(outcome(await ask(edge, request(writer, "/write"))), "200 alice");
    assertEquals(
      outcome(await ask(edge, get("edge", "/maybe", "x-user-id: eve\r\n"))),
      "200 nobody",
    );
    assertEquals(outcome(await ask(edge, request(plain, "/maybe"))), "200 alice");
    assertEquals(outcome(await ask(edge, request("x.y.z", "/maybe"))), "401 invalid-token");
  });

  await t.step(
    "goes on with the keys it has when the provider is broken or away",
    async () => {
      provider.instead = () => new Response("not now", { status: 500 });
      const stranger = await tokenKey("ES256");
      // Names may cause a fetch again only some time after those that were made up.
      await until("a fetch that fails", async () => {
        const exp = Math.floor(Date.now() / 1000) + 3600;
        const unknown = await stranger.sign({ iss: ISSUER, exp }, { kid: crypto.randomUUID() });
        return outcome(await ask(edge, request(unknown))) === "503 jwks-unavailable";
      });
      assertEquals(outcome(await ask(edge, request(await tokenOf(third)))), "200 alice");
      await provider.stop();
      assertEquals(outcome(await ask(edge, request(await tokenOf(third)))), "200 alice");
    },
  );

  await t.step("shows no token in its log", () => {
    const log = sidecar.process.lines.join("\n");
    assertStringIncludes(log, "keys in force");
    assertEquals(log.includes("eyJ"), false);
  });
});

function header(index: number): string {
  const json = JSON.stringify({ alg: "EdDSA", kid: `made up ${index}` });
  return new TextEncoder().encode(json).toBase64({ alphabet: "base64url", omitPadding: true });
}

Deno.test("a service's own sidecar checks tokens by policy, by keys in a file that is exchanged", async () => {
  await using workspace = new Workspace();
  await using app = userApp();
  const [first, second] = [await tokenKey("ES384"), await tokenKey("PS256")];
  await workspace.write("keys.json", JSON.stringify({ keys: [first.jwk] }));
  const jwt = `issuer: "${ISSUER}", jwksFile: keys.json`;
  await workspace.write("policy.yaml", `inbound: { jwt: { ${jwt} } }\n`);
  await using sidecar = await TestSidecar.start(workspace, {
    service: "user-service",
    app: app.port,
    config: { policySource: { file: "policy.yaml" } },
  });
  const { inbound } = sidecar.ports;
  const spoofed = get("user-service", "/", "x-user-id: eve\r\n");
  assertEquals(outcome(await ask(inbound, spoofed)), "401 missing-authorization");
  assertEquals(outcome(await ask(inbound, request(await tokenOf(first)))), "200 alice");

  await workspace.write("keys.json", JSON.stringify({ keys: [second.jwk] }));
  const next = request(await tokenOf(second));
  await until("the new key", async () => statusOf(await ask(inbound, next)) === 200);
  assertEquals(outcome(await ask(inbound, request(await tokenOf(first)))), "401 invalid-token");

  await workspace.write("policy.yaml", `inbound: { jwt: { ${jwt}, auth: optional } }\n`);
  await until("the new policy", async () => statusOf(await ask(inbound, spoofed)) === 200);
  assertEquals(outcome(await ask(inbound, spoofed)), "200 nobody");
  await workspace.write("policy.yaml", "{}\n");
  await until("no policy", async () => (await ask(inbound, spoofed)).body === "eve");
});

Deno.test("the shipped sidecar issues and verifies tokens on the command line", async () => {
  await using workspace = new Workspace();
  await using provider = new IdentityProvider();
  const key = await tokenKey("RS256");
  provider.keys = [key.jwk];
  provider.start();
  const run = async (input: string, ...args: string[]) => {
    const options: Deno.CommandOptions = {
      args: ["token", ...args],
      cwd: workspace.path,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    };
    const process = new Deno.Command(SIDECAR, options).spawn();
    const writer = process.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
    const { code, stdout, stderr } = await process.output();
    return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
  };
  const good = await run(
    `${await tokenOf(key)}\n`,
    "verify",
    "--jwks",
    provider.url,
    "--audience",
    "shop",
  );
  assertEquals([good.code, JSON.parse(good.out).user_id, good.err], [0, "alice", ""]);
  const bad = await run(await tokenOf(key), "verify", "--jwks", provider.url, "--audience", "bank");
  assertEquals(bad, { code: 65, out: "", err: "refused: its aud is not for us\n" });
  await workspace.write("secret", "0123456789abcdef0123456789abcdef");
  const issued = await run("", "issue", "--secret-file", "secret", "--subject", "bob");
  const checked = await run(issued.out, "verify", "--secret-file", "secret");
  assertEquals([checked.code, JSON.parse(checked.out).sub], [0, "bob"]);
});

Deno.test("fetchJson takes a small JSON document in time, and nothing else", async () => {
  await using provider = new IdentityProvider();
  provider.start();
  const never = new AbortController().signal;
  assertEquals(await fetchJson(provider.url, never), { value: { keys: [] }, maxAgeMs: 60_000 });
  const cases: [() => Response | Promise<Response>, string][] = [
    [() => new Response("no", { status: 500 }), "answered 500"],
    [() => new Response(null, { status: 204 }), "answered 204"],
    [() => Response.redirect(`${provider.url}?again`), "answered 302"],
    [() => new Response("<html>"), "no JSON"],
    [() => new Response(new Uint8Array([34, 255, 34])), ""],
    [() => new Response(`"${"x".repeat(1024 * 1024)}"`), "longer than 1048576 bytes"],
    [() => new Response(endless()), "longer than 1048576 bytes"],
    [
      () => new Promise((resolve) => setTimeout(() => resolve(new Response("1")), 5_500)),
      "no answer",
    ],
  ];
  for (const [instead, message] of cases) {
    provider.instead = instead;
    await assertRejects(() => fetchJson(provider.url, never), Error, message);
  }
  const cut = AbortSignal.abort(new Error("called off"));
  await assertRejects(() => fetchJson(provider.url, cut), Error, "called off");
  await provider.stop();
  await assertRejects(() => fetchJson(provider.url, never), Error);
});

function endless(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(65_536).fill(32)),
  });
}
