// What one side of the mesh hears when the other goes away in the middle: client > sidecar A > sidecar B > app.
import { assertEquals } from "@std/assert";
import { type AppCall, RawApp } from "./support/raw_app.ts";
import { TestSidecar } from "./support/sidecar.ts";
import { inTime, until } from "./support/until.ts";
import { answer, get, post, statusOf, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

type Handlers = Readonly<Record<string, (call: AppCall) => Promise<void>>>;

/** An app that does by path what the test says. */
function appOf(handlers: Handlers): RawApp {
  return new RawApp((call) => handlers[call.target]?.(call) ?? call.wire.write(answer("ok")));
}

/** Two sidecars in a row before the app; returns the outbound port of the first. */
async function chain(
  workspace: Workspace,
  app: RawApp,
  stack: AsyncDisposableStack,
): Promise<number> {
  const caller = stack.use(appOf({}));
  const a = await TestSidecar.start(workspace, { service: "order-service", app: caller.port });
  stack.use(a);
  stack.use(await TestSidecar.start(workspace, { service: "user-service", app: app.port }));
  return a.ports.outbound;
}

Deno.test("when one side goes away", async (t) => {
  const arrived = Promise.withResolvers<void>();
  const heldEnded = Promise.withResolvers<void>();
  const endlessEnded = Promise.withResolvers<void>();
  await using workspace = new Workspace();
  await using app = appOf({
    "/held": async ({ wire }) => {
      arrived.resolve();
      while (await wire.read().catch(() => null) !== null);
      heldEnded.resolve();
    },
    "/endless": async ({ wire }) => {
      await wire.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
      try {
        for (;;) await wire.write(`10000\r\n${"x".repeat(0x10000)}\r\n`);
      } finally {
        endlessEnded.resolve();
      }
    },
    "/half": async ({ wire }) => {
      await wire.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf");
      wire.close();
    },
    "/half-chunked": async ({ wire }) => {
      await wire.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n");
      wire.close();
    },
    // deno-lint-ignore require-await
    "/never": async ({ wire }) => wire.close(),
  });
  await using stack = new AsyncDisposableStack();
  const outbound = await chain(workspace, app, stack);

  await t.step("a client that leaves before the response ends the request at the app", async () => {
    using wire = await Wire.dial(outbound);
    await wire.write(get("user-service", "/held"));
    await inTime("the request at the app", arrived.promise);
    wire.close();
    await inTime("the end of the app's connection", heldEnded.promise);
  });

  await t.step("a client that leaves within the response ends the request at the app", async () => {
    using wire = await Wire.dial(outbound);
    await wire.write(get("user-service", "/endless"));
    await wire.readBytes(1_000_000);
    wire.close();
    await inTime("the end of the app's connection", endlessEnded.promise);
  });

  await t.step("a response that breaks off must not look whole", async () => {
    for (const target of ["/half", "/half-chunked"]) {
      using wire = await Wire.dial(outbound);
      await wire.write(get("user-service", target));
      const head = await wire.readHead();
      // That it broke may be known before a byte of the response has left: then the answer says so.
      if (head && statusOf(head) === 502) continue;
      assertEquals(head && statusOf(head), 200);
      let text = "";
      const decoder = new TextDecoder();
      for (;;) {
        const bytes = await inTime("the end", wire.read().catch(() => null));
        if (bytes === null) break;
        text += decoder.decode(bytes);
      }
      assertEquals(text, target === "/half" ? "half" : "4\r\nhalf\r\n", target);
    }
  });

  await t.step("an app that closes without a response is a bad gateway", async () => {
    using wire = await Wire.dial(outbound);
    const message = await wire.exchange(get("user-service", "/never"));
    assertEquals(statusOf(message), 502);
    assertEquals(message.body, '{"error":"bad gateway"}');
  });
});

Deno.test("a kept connection that the upstream closes as the request comes", async (t) => {
  const seen: string[] = [];
  await using workspace = new Workspace();
  // It closes upon the second request of a connection: to the caller that is the same as having closed just before.
  await using app = new RawApp(async ({ startLine, turn, wire }) => {
    seen.push(`${startLine.split(" ")[0]} ${turn}`);
    if (turn > 1) wire.close();
    else await wire.write(answer("ok"));
  });
  await using sidecar = await TestSidecar.start(workspace, {
    service: "order-service",
    app: app.port,
    config: { registry: { static: { "user-service": [`127.0.0.1:${app.port}`] } } },
  });
  using wire = await Wire.dial(sidecar.ports.outbound);
  const request = async (text: string): Promise<[number, string[]]> => {
    seen.length = 0;
    const status = statusOf(await wire.exchange(text));
    await until("the exchange is over", async () => {
      const stats: { endpoints: { busy: number }[] } = JSON.parse(await sidecar.admin("/stats"));
      return stats.endpoints.every(({ busy }) => busy === 0);
    });
    return [status, [...seen]];
  };

  await t.step("is tried again on a fresh one for GET", async () => {
    assertEquals(await request(get("user-service")), [200, ["GET 1"]]);
    assertEquals(await request(get("user-service")), [200, ["GET 2", "GET 1"]]);
  });

  await t.step("is not tried again for POST, which might be done twice", async () => {
    assertEquals(await request(post("user-service", "pay")), [502, ["POST 2"]]);
  });

  await t.step("is tried again for POST with an idempotency key", async () => {
    assertEquals(await request(post("user-service", "pay")), [200, ["POST 1"]]);
    const again = post("user-service", "pay", "/", "idempotency-key: a\r\n");
    assertEquals(await request(again), [200, ["POST 2", "POST 1"]]);
  });
});
