// Secrets that are planted wherever a sidecar meets one, and looked for in all that it says: log, admin pages, answers, errors.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { freePort } from "./support/ports.ts";
import { TestProcess } from "./support/processes.ts";
import { RawApp } from "./support/raw_app.ts";
import { SIDECAR, TestSidecar } from "./support/sidecar.ts";
import { until } from "./support/until.ts";
import { answer, get, post, statusOf, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

/** Recognisable, and never the same twice. */
function secret(name: string): string {
  return `S3cret_${name}_${crypto.randomUUID()}`;
}

/** Fails where one of them stands in `text`, also as base64 or escaped for a URL. */
function assertHides(where: string, text: string, secrets: readonly string[]): void {
  for (const each of secrets) {
    const forms = [each, encodeURIComponent(each), btoa(each), btoa(each).replace(/=+$/, "")];
    for (const form of forms) {
      const at = text.indexOf(form);
      assert(at < 0, `${where} shows ${each}: ...${text.slice(Math.max(0, at - 200), at + 80)}`);
    }
  }
}

/** Lines of the private keys in a PEM text, but for those that any key could have. */
function keyLines(pem: string): string[] {
  const keys = pem.match(/-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]+/g) ?? [];
  const lines = keys.flatMap((key) => key.split("\n").slice(2)).filter((line) => line.length > 20);
  assert(lines.length > 0, "a key was expected");
  return lines;
}

const ADMIN_PAGES = ["/", "/healthz", "/readyz", "/metrics", "/snapshot", "/endpoints", "/stats"];

/** All that a running sidecar says by itself. */
async function saidBy(sidecar: TestSidecar): Promise<string> {
  const pages = await Promise.all(
    [...ADMIN_PAGES, "/no-such-page"].map(async (path) => {
      const response = await fetch(`http://127.0.0.1:${sidecar.ports.admin}${path}`);
      return await response.text();
    }),
  );
  const health = await fetch(`http://127.0.0.1:${sidecar.ports.health}/health`);
  return [...pages, await health.text(), ...sidecar.process.lines].join("\n");
}

/** What comes for bytes of any kind, to the end of the connection. */
async function rawAnswer(port: number, bytes: string): Promise<string> {
  using wire = await Wire.dial(port);
  await wire.write(bytes);
  let text = "";
  try {
    for (let more; (more = await wire.read()) !== null;) text += new TextDecoder().decode(more);
  } catch {
    // A reset is an end too.
  }
  return text;
}

const closing = "connection: close\r\n";

Deno.test("a gateway tells no secret of its configuration or of its clients", async () => {
  await using workspace = new Workspace();
  const secrets = {
    signing: secret("signing"),
    password: secret("password"),
    bearer: secret("bearer"),
    basic: secret("basic"),
    cookie: secret("cookie"),
    query: secret("query"),
    userinfo: secret("userinfo"),
    field: secret("field"),
    claim: secret("claim"),
    answered: secret("answered"),
  };
  await using app = new RawApp(async ({ target, wire, body }) => {
    if (target === "/credentials/verify") {
      const isGood = body.includes(secrets.password);
      return await wire.write(isGood ? answer('{"username":"alice"}') : answer("no", "401 No"));
    }
    if (target.startsWith("/broken")) {
      await wire.write(`HTTP/1.1 2x0 ${secrets.answered}\r\n${secrets.answered}\r\n\r\n`);
      return wire.close();
    }
    await wire.write(answer("hello", "200 OK", `set-cookie: session=${secrets.answered}\r\n`));
  });
  const edge = freePort();
  const tokenFrom = [
    { header: "authorization", scheme: "Bearer" },
    { cookie: "session" },
    { query: "access_token" },
  ];
  await using gateway = await TestSidecar.start(workspace, {
    service: "gateway",
    app: app.port,
    env: { JWT_SECRET: secrets.signing },
    config: {
      identity: { mode: "permissive" },
      log: { format: "text", access: "all", level: "debug" },
      registry: { static: { web: [`127.0.0.1:${app.port}`], nobody: ["127.0.0.1:1"] } },
      policy: { upstreams: { web: { tls: "none" }, nobody: { tls: "none" } } },
      gateway: {
        bind: `127.0.0.1:${edge}`,
        jwt: { secret: "${JWT_SECRET}", tokenFrom, claimHeaders: { user_id: "x-user-id" } },
        login: {
          path: "/login",
          claims: { user_id: "username" },
          verify: { service: "web", path: "/credentials/verify" },
        },
        routes: [
          { match: { path: "/*" }, to: "web" },
          { match: { path: "/mine/*" }, to: "web", auth: "jwt" },
          { match: { path: "/nobody/*" }, to: "nobody" },
        ],
      },
    },
  });

  const login = async (password: string) => {
    using wire = await Wire.dial(edge);
    const body = JSON.stringify({ username: "alice", password });
    const message = await wire.exchange(post("edge", body, "/login"));
    return { status: statusOf(message), body: message.body };
  };
  const good = await login(secrets.password);
  assertEquals(good.status, 200);
  const { token }: { token: string } = JSON.parse(good.body);
  assertEquals((await login(secrets.field)).status, 401);

  const header = `authorization: Bearer ${secrets.bearer}\r\n`;
  const basic = `authorization: Basic ${btoa(`alice:${secrets.basic}`)}\r\n`;
  const cookie = `cookie: session=${secrets.cookie}; other=${secrets.field}\r\n`;
  const all = header + cookie + `x-api-key: ${secrets.field}\r\n` + closing;
  const payload = btoa(JSON.stringify({ user_id: secrets.claim, exp: 9e9 })).replace(/=+$/, "");
  const forged = token.replace(/\.[^.]+\./, `.${payload}.`);
  const proven = `authorization: Bearer ${token}\r\n`;
  const query = `?access_token=${secrets.query}`;
  const requests: Readonly<Record<string, string>> = {
    "401": get("edge", `/mine/a${query}`, closing),
    "401 of a header": get("edge", "/mine/a", all),
    "401 of another scheme": get("edge", "/mine/a", basic + closing),
    "401 of a forged token": get(
      "edge",
      "/mine/a",
      `authorization: Bearer ${forged}\r\n${closing}`,
    ),
    "200": get("edge", `/mine/a${query}&b=1`.replace(secrets.query, token), closing),
    "200 by cookie": get("edge", "/mine/a", `cookie: session=${token}\r\n${closing}`),
    "502 of nobody": get("edge", `/nobody/a${query}`, all),
    "502 of a broken answer": get("edge", `/broken${query}`, proven + cookie + closing),
    "400 of a path": get("edge", `/a/%2e%2e/b${query}`, all),
    "400 of a line": `GET /a b${query} HTTP/1.1\r\nhost: edge\r\n${all}\r\n`,
    "400 of a field": get("edge", "/a", `${all}bad name: ${secrets.field}\r\n`),
    "400 of a login": post("edge", `{"password":"${secrets.password}"`, "/login", closing),
    "400 of a login without a name": post(
      "edge",
      JSON.stringify({ password: secrets.password }),
      "/login",
      closing,
    ),
    "431": get("edge", "/a", `x-large: ${secrets.field.repeat(2000)}\r\n${all}`),
  };
  for (const [what, request] of Object.entries(requests)) {
    const text = await rawAnswer(edge, request);
    assertStringIncludes(text, `HTTP/1.1 ${what.split(" ")[0]} `, what);
    // The app's own words to its client, which nobody may touch.
    const { answered, ...rest } = secrets;
    const told = what.startsWith("200") ? text.replaceAll(answered, "") : text;
    assertHides(`the answer ${what}`, told, [...Object.values(rest), answered, token]);
  }
  // By way of the app's own sidecar: a password in an absolute URL.
  const absolute =
    `GET http://bob:${secrets.userinfo}@nobody/x${query} HTTP/1.1\r\nhost: nobody\r\n`;
  const text = await rawAnswer(gateway.ports.outbound, `${absolute}${all}\r\n`);
  assertHides("the answer to an absolute URL", text, Object.values(secrets));

  const lines = () => gateway.process.lines.filter((line) => line.includes(" request "));
  await until("the log of the last one", () => lines().length > Object.keys(requests).length / 2);
  const said = await saidBy(gateway);
  assertStringIncludes(said, "/broken", "the log tells paths");
  const root = await Deno.readTextFile(join(workspace.path, ".mesh", "ca", "root.pem"));
  const signature = token.slice(token.lastIndexOf(".") + 1);
  const hidden = [...Object.values(secrets), token, signature, ...keyLines(root)];
  assertHides("the gateway", said, hidden);
  assertEquals(await gateway.stop(), 0);
  assertHides("its log to the end", gateway.process.lines.join("\n"), hidden);
});

Deno.test("a sidecar does not tell its Consul token, also where the agent repeats it", async () => {
  await using workspace = new Workspace();
  const token = secret("consul");
  let asked = 0;
  await using consul = new RawApp(async ({ fields, wire }) => {
    asked++;
    const shown = fields.get("x-consul-token") ?? fields.get("authorization") ?? "";
    assertStringIncludes(shown, token);
    await wire.write(answer(`token ${shown} may not do this`, "403 Forbidden"));
  });
  await using app = new RawApp(({ wire }) => wire.write(answer("hello")));
  await using sidecar = await TestSidecar.spawn(workspace, {
    service: "user-service",
    app: app.port,
    env: { CONSUL_TOKEN: token },
    config: {
      registry: {
        consul: { address: `http://127.0.0.1:${consul.port}`, token: "${CONSUL_TOKEN}" },
      },
      log: { format: "json", access: "all", level: "debug" },
      policy: { upstreams: { "order-service": {} } },
    },
  });
  await until("a complaint", () => sidecar.process.lines.some((line) => line.includes("403")));
  assert(asked > 0);
  await sidecar.ready();
  using wire = await Wire.dial(sidecar.ports.outbound);
  const message = await wire.exchange(get("order-service", "/"));
  assertHides("the answer", message.body, [token]);
  assertHides("the sidecar", await saidBy(sidecar), [token]);
});

Deno.test("a sidecar does not tell the query of the address that it fetches keys from", async () => {
  await using workspace = new Workspace();
  await using app = new RawApp(({ wire }) => wire.write(answer("hello")));
  const key = secret("key");
  // One that says no, and one that is not there.
  const jwksUri = [app.port, freePort()].map((port) => `http://127.0.0.1:${port}/jwks?key=${key}`);
  await using sidecar = await TestSidecar.start(workspace, {
    service: "gateway",
    config: {
      registry: { static: { web: [`127.0.0.1:${app.port}`] } },
      gateway: {
        bind: `127.0.0.1:${freePort()}`,
        jwt: { issuers: jwksUri.map((uri, index) => ({ issuer: `x${index}`, jwksUri: uri })) },
        routes: [{ match: { path: "/*" }, to: "web", auth: "jwt" }],
      },
    },
  });
  for (const uri of jwksUri) {
    const shown = uri.slice(0, uri.indexOf("?"));
    const isTold = (line: string) =>
      line.includes("keys cannot be fetched") && line.includes(shown);
    await until("a complaint", () => sidecar.process.lines.some(isTold));
  }
  const said = await saidBy(sidecar);
  assertStringIncludes(said, "mesh_jwks_failures");
  assertHides("the gateway", said, [key]);
});

Deno.test("sidecar check and run tell what is wrong with a secret, and not the secret", async (t) => {
  await using workspace = new Workspace();
  const value = secret("value");
  const env = { SECRET: value, SHORT: "S3cret_short" };
  const at = () => `127.0.0.1:${freePort()}`;
  const listeners = { inbound: at(), outbound: at(), admin: at(), health: at() };
  const service = { name: "gateway", app: { http: "127.0.0.1:1" } };
  const base = { service, listeners, registry: { static: {} }, identity: { mode: "off" } };
  const gatewayOf = (more: object) => ({
    ...base,
    gateway: {
      bind: at(),
      jwt: { secret: "${SECRET}" },
      routes: [{ match: { path: "/*" }, to: "web", auth: "jwt" }],
      ...more,
    },
  });
  const loginOf = (more: object) => gatewayOf({ login: { passwordless: true, ...more } });
  await workspace.write("key.pem", `-----BEGIN PRIVATE KEY-----\n${btoa(value)}\n`);
  const json = (document: object) => JSON.stringify(document, null, 2);
  const jwtOf = (jwt: object) => json(gatewayOf({ jwt }));
  /** What the message must name, by what is wrong. */
  const documents: Readonly<Record<string, readonly [document: string, named: string]>> = {
    "one too short": [jwtOf({ secret: "${SHORT}" }), "gateway.jwt.secret"],
    "one of a wrong type": [jwtOf({ secret: [value] }), "gateway.jwt.secret"],
    "one under a wrong name": [jwtOf({ secrets: "${SECRET}" }), "gateway.jwt.secrets"],
    "one for a URL": [jwtOf({ issuer: "x", jwksUri: "${SECRET}" }), "gateway.jwt.jwksUri"],
    "one for a key set": [jwtOf({ issuer: "x", jwks: "${SECRET}" }), "gateway.jwt.jwks"],
    "a public key that is none": [jwtOf({ issuer: "x", publicKey: "key.pem" }), "key.pem"],
    "one for a path": [json(loginOf({ path: "${SECRET}" })), "gateway.login.path"],
    "one for a duration": [json({ ...base, drain: { delay: "${SECRET}" } }), "drain.delay"],
    "one for a choice": [json({ ...base, log: { level: "${SECRET}" } }), "log.level"],
    "one for a size": [json({ ...base, limits: { head: "${SECRET}" } }), "limits.head"],
    "one for a name": [
      json({ ...base, service: { ...service, name: "${SECRET}" } }),
      "service.name",
    ],
    "one for an address": [
      json({ ...base, listeners: { ...listeners, inbound: "${SECRET}" } }),
      "listeners.inbound",
    ],
    "one in broken YAML": [
      `gateway:\n  jwt: { secret: "${value}" \n  routes: [\n`,
      "sidecar.yaml:3",
    ],
    "one in broken JSON": [`{"gateway": {"jwt": {"secret": "${value}" "x"}}}`, "sidecar.yaml:1"],
    "one in broken quotes": [`gateway:\n  jwt: { secret: "${value}\n`, "sidecar.yaml:"],
    "a private key that is none": [
      json(gatewayOf({ tls: { cert: "key.pem", key: "key.pem" } })),
      "certificate",
    ],
    "a signing key that is none": [
      json(loginOf({ path: "/l", signing: { privateKey: "key.pem", algorithm: "ES256" } })),
      "key.pem",
    ],
  };
  const outcome = async (command: string, text: string) => {
    await workspace.write("sidecar.yaml", text);
    await using process = new TestProcess({
      command: SIDECAR,
      args: [...command.split(" "), "--config", "sidecar.yaml"],
      cwd: workspace.path,
      env,
    });
    const isReady = () => process.lines.some((line) => line.includes('"ready"'));
    await until("its end, or its start", () => process.hasExited || isReady());
    const code = process.hasExited ? await process.exited : 0;
    return { code, text: process.lines.join("\n") };
  };
  assertEquals((await outcome("check", json(gatewayOf({})))).code, 0, "what they begin with");
  for (const [what, [document, named]] of Object.entries(documents)) {
    await t.step(what, async () => {
      const [checked, run] = [await outcome("check", document), await outcome("run", document)];
      assert(run.code !== 0 || run.text.includes("cannot be used"), run.text);
      assertStringIncludes(run.text, named);
      assertHides(what, checked.text + run.text, [value, env.SHORT]);
    });
  }
});
