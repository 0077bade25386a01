// Raw TCP through a port that policy dedicates to it: client > sidecar > server, nobody in between reading a byte.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { EchoServer } from "./support/echo_server.ts";
import { freePort } from "./support/ports.ts";
import { RawApp } from "./support/raw_app.ts";
import { TestSidecar } from "./support/sidecar.ts";
import { inTime, until } from "./support/until.ts";
import { answer, get, statusOf, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

const MANY_BYTES = 64 * 1024 * 1024;

function at(port: number): string {
  return `127.0.0.1:${port}`;
}

async function echoes(port: number, text: string): Promise<void> {
  using wire = await Wire.dial(port);
  await wire.write(text);
  assertEquals(new TextDecoder().decode(await wire.readBytes(text.length)), text);
}

Deno.test("raw TCP through a dedicated port", async (t) => {
  await using workspace = new Workspace();
  await using app = new RawApp(({ wire }) => wire.write(answer("app")));
  await using echo = new EchoServer();
  const [bind, lostBind] = [freePort(), freePort()];
  await using sidecar = await TestSidecar.start(workspace, {
    service: "order-service",
    app: app.port,
    config: {
      registry: {
        static: { cache: [at(freePort()), at(echo.port)], lost: [at(freePort()), at(freePort())] },
      },
      policy: {
        upstreams: {
          cache: { protocol: "tcp", bind: at(bind) },
          lost: { protocol: "tcp", bind: at(lostBind) },
        },
      },
    },
  });

  await t.step("carries bytes both ways, and goes on where an endpoint is down", async () => {
    for (let i = 0; i < 6; i++) await echoes(bind, `number ${i}\r\n\0`);
  });

  await t.step("lets either half end first", async () => {
    using client = await Deno.connect({ hostname: "127.0.0.1", port: bind });
    await client.write(new TextEncoder().encode("half"));
    await client.closeWrite();
    // The echo says this once it has seen the end.
    assertEquals(await new Response(client.readable).text(), "half, and that was all");
  });

  await t.step("carries 64 MiB there and back, every byte", async () => {
    using client = await Deno.connect({ hostname: "127.0.0.1", port: bind });
    const digest = () => crypto.subtle.digest("SHA-256", all);
    const all = new Uint8Array(MANY_BYTES);
    for (let i = 0; i < MANY_BYTES; i += 65_536) {
      crypto.getRandomValues(all.subarray(i, i + 65_536));
    }
    const before = new Uint8Array(await digest());
    const sending = (async () => {
      for (let rest = all.slice(); rest.length > 0;) rest = rest.subarray(await client.write(rest));
    })();
    all.fill(0);
    for (let filled = 0; filled < MANY_BYTES;) {
      const count = await client.read(all.subarray(filled));
      assert(count !== null, `ended after ${filled} bytes`);
      filled += count;
    }
    await sending;
    assertEquals(new Uint8Array(await digest()), before);
  });

  await t.step("closes at once where nobody can be reached, and says why", async () => {
    using wire = await Wire.dial(lostBind);
    assertEquals(await inTime("the end", wire.read()), null);
    const line = await until(
      "a line",
      () =>
        sidecar.process.lines.find((line) =>
          line.includes(" connection ") && line.includes("upstream=lost")
        ),
    );
    assertStringIncludes(line, "connect-failed");
  });

  await t.step("counts connections and bytes", async () => {
    const lost = 'mesh_tcp_connections_total{upstream="lost",reason="connect-failed"} 1\n';
    const sample = /mesh_tcp_bytes_total\{upstream="cache",direction="sent"\} (\d+)/;
    const metrics = await sidecar.admin("/metrics");
    assertStringIncludes(metrics, lost);
    assert(Number(sample.exec(metrics)?.[1]) > MANY_BYTES);
  });

  await t.step("does not speak HTTP to it elsewhere, and says where to go", async () => {
    using wire = await Wire.dial(sidecar.ports.outbound);
    const message = await wire.exchange(get("cache"));
    assertEquals([statusOf(message), message.fields.get("x-mesh-reason")], [
      501,
      "not-implemented",
    ]);
    assertStringIncludes(message.body, "upstreams.cache.bind");
  });
});

Deno.test("a dedicated port whose upstream changes between HTTP and raw TCP", async () => {
  await using workspace = new Workspace();
  await using app = new RawApp(({ fields, wire }) => wire.write(answer(fields.get("via") ?? "")));
  const bind = freePort();
  const policy = (protocol: string) =>
    workspace.write(
      "policy.yaml",
      `upstreams: { web: { protocol: ${protocol}, bind: ${at(bind)} } }\n`,
    );
  await policy("tcp");
  await using _sidecar = await TestSidecar.start(workspace, {
    service: "order-service",
    app: app.port,
    config: {
      registry: { static: { web: [at(app.port)] } },
      policySource: { file: "policy.yaml" },
    },
  });
  const isSeen = async () => {
    using wire = await Wire.dial(bind);
    return (await wire.exchange(get("web"))).body !== "";
  };
  using first = await Wire.dial(bind);
  assertEquals((await first.exchange(get("web"))).body, "", "nobody adds a via to raw TCP");

  await policy("http1");
  await until("a proxy of HTTP", isSeen);
  assertEquals((await first.exchange(get("web"))).body, "", "what is open stays as it began");
  await policy("tcp");
  await until("raw TCP again", async () => !await isSeen());
});

Deno.test("a sidecar that is stopped waits for raw TCP, and cuts it when its time is up", async () => {
  await using workspace = new Workspace();
  await using app = new RawApp(({ wire }) => wire.write(answer("app")));
  await using echo = new EchoServer();
  for (const isCut of [false, true]) {
    const bind = freePort();
    await using sidecar = await TestSidecar.start(workspace, {
      service: "order-service",
      app: app.port,
      config: {
        registry: { static: { cache: [at(echo.port)] } },
        policy: { upstreams: { cache: { protocol: "tcp", bind: at(bind) } } },
        drain: { delay: "10ms", timeout: isCut ? "500ms" : "20s" },
      },
    });
    using wire = await Wire.dial(bind);
    const ask = async (text: string) => {
      await wire.write(text);
      return new TextDecoder().decode(await wire.readBytes(text.length));
    };
    assertEquals(await ask("before"), "before");
    const stopped = sidecar.stop();
    await until("no more connections", async () => {
      try {
        (await Wire.dial(bind)).close();
        return false;
      } catch {
        return true;
      }
    });
    assertEquals(await ask("after"), "after");
    if (isCut) assertEquals(await inTime("the cut", wire.read()), null);
    else wire.close();
    assertEquals(await inTime("the end of the sidecar", stopped), 0);
    await until("the server's side ends too", () => echo.connections === 0);
  }
});
