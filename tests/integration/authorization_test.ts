// Who may call the app, at a real inbound port: by method, path, gRPC method and by having no identity at all, enforced
// and as a dry run, and rules that change under load.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { status } from "@grpc/grpc-js";
import { GrpcApp } from "./support/grpc_app.ts";
import { GrpcCaller, textOf } from "./support/grpc_caller.ts";
import { startBeside } from "./support/grpc_mesh.ts";
import { Load } from "./support/load.ts";
import { RawApp } from "./support/raw_app.ts";
import { TestSidecar } from "./support/sidecar.ts";
import { until } from "./support/until.ts";
import { answer, get, post, statusOf, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

const RULES = [
  { name: "public-reads", from: ["anonymous"], methods: ["GET"], paths: ["/users/*"] },
  { name: "no-secrets", action: "deny", paths: ["/users/secret/*"] },
];

type Answer = readonly [status: number, body: string, reason: string | undefined];

/** One request on a connection of its own. */
async function ask(port: number, request: string): Promise<Answer> {
  using wire = await Wire.dial(port);
  const message = await wire.exchange(request);
  return [statusOf(message), message.body, message.fields.get("x-mesh-reason")];
}

/** An app that answers with the target it was asked for. */
function echo(): RawApp {
  return new RawApp(({ target, wire }) => wire.write(answer(target)));
}

function error(text: string): string {
  return JSON.stringify({ error: text });
}

Deno.test("rules of an inbound port over HTTP", async (t) => {
  await using workspace = new Workspace();
  await using app = echo();
  await using sidecar = await TestSidecar.start(workspace, {
    service: "user-service",
    app: app.port,
    config: { policy: { inbound: { authorization: RULES } } },
  });
  const { inbound } = sidecar.ports;

  await t.step("let in what one allows, the path in its one spelling", async () => {
    assertEquals(await ask(inbound, get("a", "/users/1?x=1")), [200, "/users/1?x=1", undefined]);
    assertEquals(await ask(inbound, get("a", "//users/%41")), [200, "/users/A", undefined]);
  });

  await t.step("refuse what none allows, saying so", async () => {
    const cases = [
      [post("a", "x", "/users/1"), "no rule allows anonymous POST /users/1"],
      [get("a", "/other?token=x"), "no rule allows anonymous GET /other"],
    ] as const;
    for (const [request, text] of cases) {
      assertEquals(await ask(inbound, request), [403, error(text), "forbidden"]);
    }
  });

  await t.step("refuse what one denies, naming it, however the path is written", async () => {
    for (
      const path of ["/users/secret/1", "/users/%73ecret", "//users//secret/", "/users/secret;x"]
    ) {
      const wanted: Answer = [403, error("refused by rule no-secrets"), "forbidden"];
      assertEquals(await ask(inbound, get("a", path)), wanted, path);
    }
  });

  await t.step("refuse a path that could be read in two ways", async () => {
    for (const path of ["/users/../secret", "/users/%2e%2e/x", "/users%2fsecret"]) {
      const [status, , reason] = await ask(inbound, get("a", path));
      assertEquals([status, reason], [400, "bad-request"], path);
    }
  });

  await t.step("keep the connection for the next request", async () => {
    using wire = await Wire.dial(inbound);
    assertEquals(statusOf(await wire.exchange(post("a", "body", "/users/1"))), 403);
    assertEquals((await wire.exchange(get("a", "/users/2"))).body, "/users/2");
  });

  await t.step(
    "leave audit lines without the query, counts by rule, and stand in /snapshot",
    async () => {
      const audit = () => sidecar.process.lines.filter((line) => line.includes(" authorization "));
      const wanted = /rule=no-secrets action=deny from=anonymous method=GET/;
      await until("the line of a refusal", () => audit().some((line) => wanted.test(line)));
      assert(!audit().some((line) => line.includes("token=x")), audit().join("\n"));
      const metrics = await sidecar.admin("/metrics");
      for (const series of ['"allowed",rule="public-reads"', '"refused",rule="no-secrets"']) {
        assertStringIncludes(
          metrics,
          `mesh_authorization_total{decision=${series},dry_run="false"} `,
        );
      }
      const { authorization } = JSON.parse(await sidecar.admin("/snapshot"));
      assertEquals(authorization.default, "deny");
      assertEquals(authorization.rules.map(({ name }: { name: string }) => name), [
        "public-reads",
        "no-secrets",
      ]);
    },
  );
});

Deno.test("a dry run at an inbound port lets everything pass, as it came, and says what it would refuse", async () => {
  await using workspace = new Workspace();
  await using app = echo();
  await using sidecar = await TestSidecar.start(workspace, {
    service: "user-service",
    app: app.port,
    config: { policy: { inbound: { authorization: { mode: "dry-run", rules: RULES } } } },
  });
  for (const target of ["/users/1", "/other", "//users//secret/1", "/users/../x"]) {
    assertEquals(await ask(sidecar.ports.inbound, get("a", target)), [200, target, undefined]);
  }
  for (const rule of ["default", "no-secrets", "ambiguous-path"]) {
    await until(
      `the line of ${rule}`,
      () =>
        sidecar.process.lines.some((line) =>
          line.includes(` rule=${rule} action=deny `) && line.endsWith("dryRun=true")
        ),
    );
    assertStringIncludes(
      await sidecar.admin("/metrics"),
      `mesh_authorization_total{decision="refused",rule="${rule}",dry_run="true"} 1\n`,
    );
  }
});

Deno.test("rules of an inbound port let in and refuse gRPC by method, as PERMISSION_DENIED", async () => {
  await using workspace = new Workspace();
  using app = await GrpcApp.listen({
    Unary: ({ request }, callback) => callback(null, request),
    Download: (call) => {
      call.write(call.request);
      call.end();
    },
  });
  const authorization = [
    { grpc: ["test.Calls/*"] },
    { name: "no-downloads", action: "deny", grpc: ["test.Calls/Download"] },
  ];
  await using sidecar = await startBeside(workspace, {
    service: "callee",
    grpc: app.port,
    config: { policy: { inbound: { authorization } } },
  });
  using caller = new GrpcCaller(sidecar.ports.inbound);
  assertEquals(textOf(await caller.unary("hello")), "hello");
  const denied = await caller.download("x").rest();
  assertEquals([denied.code, denied.details], [
    status.PERMISSION_DENIED,
    "refused by rule no-downloads",
  ]);
  assertEquals(denied.trailers.get("x-mesh-reason"), ["forbidden"]);
  const other = await caller.unary("x", {}, "/test.Others/Unary");
  assertEquals([other.code, other.details], [
    status.PERMISSION_DENIED,
    "no rule allows anonymous POST /test.Others/Unary",
  ]);
  assertEquals(textOf(await caller.unary("again")), "again");
});

Deno.test("rules of a policy file change under load, and no request is lost or let in by mistake", async (t) => {
  const policy = (...rules: readonly unknown[]) =>
    JSON.stringify({ inbound: { authorization: rules } });
  const open = { name: "open", paths: ["/always/*", "/now/*"] };
  const shut = { name: "shut", paths: ["/always/*"] };
  await using workspace = new Workspace();
  await using app = echo();
  await workspace.write("policy.yaml", policy(open));
  await using sidecar = await TestSidecar.start(workspace, {
    service: "user-service",
    app: app.port,
    config: { policySource: { file: "policy.yaml" }, log: { access: "off", format: "text" } },
  });
  const { inbound } = sidecar.ports;
  const isOpen = async () => (await ask(inbound, get("a", "/now/x")))[0] === 200;
  assertEquals(await isOpen(), true);
  const load = new Load({
    port: inbound,
    clients: 4,
    request: (id) => get("a", `/always/${id}`),
  });

  await t.step("each is in force for the next request", async () => {
    for (let turn = 0; turn < 3; turn++) {
      await workspace.write("policy.yaml", policy(shut));
      await until("shut", async () => !await isOpen());
      await workspace.write("policy.yaml", policy(open));
      await until("open", isOpen);
    }
  });

  await t.step("one that is wrong is refused whole, and the last good one stays", async () => {
    await workspace.write("policy.yaml", policy({ methods: ["GTE"] }));
    const problem = await until(
      "the refusal",
      async () => (await sidecar.snapshot()).policy.problem ?? undefined,
    );
    assertStringIncludes(problem.message, 'methods[0]: unknown method, did you mean "GET"?');
    assertEquals(await isOpen(), true);
  });

  await t.step("a rule for named callers lets in nobody who does not say who it is", async () => {
    await workspace.write(
      "policy.yaml",
      policy(shut, { from: ["order-service"], paths: ["/now/*"] }),
    );
    await until("shut", async () => !await isOpen());
    const text = "no rule allows anonymous GET /now/x";
    assertEquals(await ask(inbound, get("a", "/now/x")), [403, error(text), "forbidden"]);
  });

  await load.stop();
  assertEquals(load.fates.filter(({ status }) => status !== 200), []);
  assert(load.fates.length > 100, `only ${load.fates.length} requests`);
});
