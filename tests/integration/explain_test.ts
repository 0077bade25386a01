// What an operator sees of a real sidecar: why a request failed, requests as they end, and a table of what goes through.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { ROOT } from "../../deploy/build/bundle.ts";
import { freePort } from "./support/ports.ts";
import { TestProcess } from "./support/processes.ts";
import { RawApp } from "./support/raw_app.ts";
import { SIDECAR, TestSidecar } from "./support/sidecar.ts";
import { until } from "./support/until.ts";
import { answer, get, statusOf, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

Deno.test("a failed request is explained by its id, tapped as it ends and counted in the table", async () => {
  await using workspace = new Workspace();
  await using users = new RawApp(async ({ target, wire }) => {
    if (target === "/reset") wire.close();
    else await wire.write(answer("ok"));
  });
  const edge = freePort();
  await using gateway = await TestSidecar.start(workspace, {
    service: "gateway",
    config: {
      registry: { static: { "user-service": [`127.0.0.1:${users.port}`] } },
      policy: { upstreams: { "user-service": { tls: "none" } } },
      gateway: {
        bind: `127.0.0.1:${edge}`,
        routes: [
          { match: { path: "/users/*" }, to: "user-service", rewrite: "/*" },
          { match: { path: "/ghosts" }, to: "ghost-service" },
        ],
      },
    },
  });
  const admin = ["--admin", `127.0.0.1:${gateway.ports.admin}`];
  const run = (...args: string[]) =>
    new TestProcess({ command: SIDECAR, args: [...args, ...admin], cwd: ROOT });
  const output = async (...args: string[]) => {
    const process = run(...args);
    await process.exited;
    return process.lines.join("\n");
  };
  const ask = async (path: string) => {
    using wire = await Wire.dial(edge);
    return await wire.exchange(get("shop", path));
  };
  await using tap = run("tap", "--status", "5xx");
  await until(
    "the tap",
    async () => (await ask("/ghosts")).startLine.includes("503") && tap.lines.length > 0,
  );

  assertEquals(statusOf(await ask("/users/1")), 200);
  const reset = await ask("/users/reset");
  assertEquals([statusOf(reset), reset.fields.get("x-mesh-reason")], [502, "upstream-reset"]);
  const story = await output("explain", reset.fields.get("x-request-id")!);
  assertStringIncludes(story, "GET /users/reset of shop came to the edge port from 127.0.0.1");
  assertMatch(story, /It was for user-service: (one attempt|2 attempts), 127\.0\.0\.1:\d+ last\./);
  assertStringIncludes(
    story,
    "upstream-reset: the upstream closed the connection before it had answered.",
  );
  await until(
    "the line of the tap",
    () => tap.lines.some((line) => line.includes("upstream-reset")),
  );
  assertEquals(tap.lines.some((line) => line.includes(" 200 ")), false);

  let isOver = false;
  const load = (async () => {
    while (!isOver) await ask("/users/1");
  })();
  const table = await output("top", "--once");
  isOver = true;
  await load;
  assertMatch(table, /^PORT +SERVICE +REQ\/S +FAILED +P50 +P99$/m);
  assertMatch(table, /^edge +user-service +[1-9]\d*\.\d +0\.0 % +< /m);

  assertEquals(await gateway.stop(), 0, "a tap must not hold it up");
  assertEquals(await tap.exited, 69);
});

Deno.test("the admin port on loopback is not for names that lead there from elsewhere", async () => {
  await using workspace = new Workspace();
  await using app = new RawApp(({ wire }) => wire.write(answer("ok")));
  await using sidecar = await TestSidecar.start(workspace, {
    service: "user-service",
    app: app.port,
  });
  const ask = async (host: string) => {
    using wire = await Wire.dial(sidecar.ports.admin);
    return statusOf(await wire.exchange(get(host, "/snapshot")));
  };
  assertEquals(await ask(`localhost:${sidecar.ports.admin}`), 200);
  assertEquals(await ask("rebound.example"), 421);
});
