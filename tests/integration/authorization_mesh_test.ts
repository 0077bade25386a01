// Rules of authorization between real sidecars: who a caller is by mTLS or is not, what its token says, and every way to
// write a path or a method that an app may take for another.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { SECRET, signToken } from "../support/tokens.ts";
import { RawApp } from "./support/raw_app.ts";
import { TestSidecar } from "./support/sidecar.ts";
import { until } from "./support/until.ts";
import { answer, get, type Message, statusOf, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

const PERMISSIVE = { mode: "permissive" };

const RULES = [
  { name: "no-payments", action: "deny", from: ["payment-service"], paths: ["/admin/*", "/@me"] },
  { name: "no-free", action: "deny", claims: { plan: ["free"] }, paths: ["/premium"] },
  { name: "no-dumps", action: "deny", methods: ["GET"], paths: ["/dump"] },
  { name: "everybody", from: ["*", "anonymous"] },
];

/** Each is `/admin/keys` or `/@me` to some app. */
const EVASIONS = [
  "/admin/keys",
  "//admin/keys",
  "/admin//keys",
  "/./admin/keys",
  "/x/../admin/keys",
  "/%2e/admin/keys",
  "/admin",
  "/admin/",
  "/admin;x",
  "/admin;a=b/keys",
  "/admin%3Bx/keys",
  "/;x/admin/keys",
  "/.;x/admin/keys",
  "/ADMIN/keys",
  "/%61dmin/keys",
  "/%41DMIN/keys",
  "/admin%2Fkeys",
  "/admin%5Ckeys",
  "/\\admin",
  "/admin%00/keys",
  "/admin/keys?x=/open",
  "http://user-service/admin/keys",
  "http://user-service//admin/keys",
  "/@me",
  "/%40me",
  "/%40ME/",
];

/** What the app was told, in place of what it was asked. */
const TOLD = ["x-user-id", "x-forwarded-for", "x-forwarded-client-cert", "x-forwarded-proto"];

interface Rig extends AsyncDisposable {
  readonly order: TestSidecar;
  readonly payment: TestSidecar;
  readonly user: TestSidecar;
  /** Targets that reached the app. */
  readonly seen: string[];
  readonly workspace: Workspace;
}

async function start(rules: unknown = RULES): Promise<Rig> {
  const stack = new AsyncDisposableStack();
  const workspace = stack.use(new Workspace());
  const seen: string[] = [];
  const app = stack.use(
    new RawApp(({ target, fields, startLine, wire }) => {
      seen.push(target);
      const told = TOLD.map((name) => fields.get(name) ?? "-").join(" | ");
      return wire.write(answer(startLine.startsWith("HEAD") ? "" : told));
    }),
  );
  const jwt = { secret: SECRET, auth: "optional" };
  await workspace.write(
    "policy.json",
    JSON.stringify({ inbound: { jwt, authorization: rules } }),
  );
  const user = stack.use(
    await TestSidecar.start(workspace, {
      service: "user-service",
      app: app.port,
      config: { identity: PERMISSIVE, policySource: { file: "policy.json" } },
    }),
  );
  const caller = async (service: string) => {
    const policy = { upstreams: { "user-service": {} } };
    const config = { identity: PERMISSIVE, policy };
    const sidecar = stack.use(
      await TestSidecar.start(workspace, { service, app: app.port, config }),
    );
    await sidecar.sees("user-service", [user.ports.inbound]);
    return sidecar;
  };
  const [order, payment] = [await caller("order-service"), await caller("payment-service")];
  return {
    order,
    payment,
    user,
    seen,
    workspace,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function ask(port: number, target: string, fields = ""): Promise<Message> {
  using wire = await Wire.dial(port);
  return await wire.exchange(get("user-service", target, fields));
}

async function statusFor(port: number, target: string, fields = ""): Promise<number> {
  return statusOf(await ask(port, target, fields));
}

Deno.test("a deny rule holds between sidecars, however path, method, caller or token are dressed up", async (t) => {
  await using rig = await start();
  const { order, payment, user, seen } = rig;

  await t.step("whom it names, by mTLS, and who proves nothing, in every spelling", async () => {
    // From an app's own port to ours, and past any sidecar.
    const doors = { payment: payment.ports.outbound, anonymous: user.ports.inbound };
    for (const [who, port] of Object.entries(doors)) {
      for (const target of EVASIONS) {
        const message = await ask(port, target);
        const status = statusOf(message);
        const reason = message.fields.get("x-mesh-reason");
        const wanted = status === 400 ? "bad-request" : "forbidden";
        assertEquals(
          [status === 400 || status === 403, reason],
          [true, wanted],
          `${who} ${target}`,
        );
      }
    }
    assertEquals(seen, []);
    const refused = await ask(payment.ports.outbound, "/ADMIN/keys");
    assertEquals(refused.body, '{"error":"refused by rule no-payments"}');
  });

  await t.step("and nobody else", async () => {
    for (const target of ["/admin/keys", "/ADMIN", "/@me"]) {
      assertEquals(await statusFor(order.ports.outbound, target), 200, target);
    }
    for (const target of ["/open", "/administrators", "/x/admin"]) {
      assertEquals(await statusFor(payment.ports.outbound, target), 200, target);
      assertEquals(await statusFor(user.ports.inbound, target), 200, target);
    }
  });

  await t.step("HEAD is no way around GET", async () => {
    for (const method of ["GET", "HEAD"]) {
      using wire = await Wire.dial(user.ports.inbound);
      await wire.write(get("user-service", "/dump").replace("GET", method));
      assertEquals(statusOf((await wire.readHead())!), 403, method);
    }
  });

  await t.step("a token left at home is no way around a claim", async () => {
    const exp = Math.floor(Date.now() / 1000) + 600;
    const bearer = async (plan: string) =>
      `authorization: Bearer ${await signToken({ user_id: "alice", plan, exp })}\r\n`;
    const { outbound } = order.ports;
    assertEquals(await statusFor(outbound, "/premium", await bearer("free")), 403);
    assertEquals(await statusFor(outbound, "/premium"), 403);
    assertEquals(await statusFor(outbound, "/premium", await bearer("paid")), 200);
  });

  await t.step("who proves nothing speaks for nobody else", async () => {
    const claims = TOLD.map((name) => `${name}: 1.1.1.1\r\n`).join("");
    const { body } = await ask(user.ports.inbound, "/open", claims);
    assertEquals(body, "- | 127.0.0.1 | - | -");
    const believed = await ask(order.ports.outbound, "/open", claims);
    assertEquals(believed.body, "- | 1.1.1.1, 127.0.0.1 | 1.1.1.1 | 1.1.1.1");
  });
});

Deno.test("rules for named callers, and a dry run of them, are in force as the policy file says", async () => {
  await using rig = await start([{ name: "orders", from: ["order-service"], paths: ["/users/*"] }]);
  const { order, payment, user, seen, workspace } = rig;
  assertEquals(await statusFor(order.ports.outbound, "/users/1"), 200);
  const text = '{"error":"no rule allows payment-service GET /users/1"}';
  assertEquals((await ask(payment.ports.outbound, "/users/1")).body, text);
  assertEquals(await statusFor(user.ports.inbound, "/users/1"), 403);
  for (const target of ["/users/1/../2", "/Users/1", "/users;x/1", "/%75sers%3B/1"]) {
    assertEquals((await statusFor(order.ports.outbound, target)) >= 400, true, target);
  }
  const dryRun = { mode: "dry-run", default: "deny", rules: [] };
  await workspace.write("policy.json", JSON.stringify({ inbound: { authorization: dryRun } }));
  await until("the dry run", async () => await statusFor(user.ports.inbound, "/x") === 200);
  seen.length = 0;
  const targets = ["//users//1", "/users/%2e%2e/x", "/%75sers/1;v=1"];
  for (const target of targets) await ask(payment.ports.outbound, target);
  assertEquals(seen, targets);
  assertStringIncludes(
    await user.admin("/metrics"),
    'mesh_authorization_total{decision="refused",rule="default",dry_run="true"}',
  );
});
