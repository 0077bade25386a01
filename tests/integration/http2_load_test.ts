// A million requests by h2load, through a gateway, before a server that nobody here wrote: not one may fail. Slow.
import { assertEquals, assertMatch } from "@std/assert";
import { isInstalled } from "../../deploy/servers.ts";
import { freePort } from "./support/ports.ts";
import { run, startNghttpd } from "./support/programs.ts";
import { TestSidecar } from "./support/sidecar.ts";
import { Workspace } from "./support/workspace.ts";

const ignore = !["h2load", "nghttpd"].every(isInstalled);
const RUNS = [[800_000, 16], [200_000, 100]] as const;

Deno.test(
  { name: "a gateway answers 1,000,000 requests of h2load without a failure", ignore },
  async (t) => {
    const edge = freePort();
    await using workspace = new Workspace();
    await workspace.write("small.txt", "small file\n");
    await using app = await startNghttpd(workspace.path, "-m", "1000");
    await using gateway = await TestSidecar.start(workspace, {
      service: "gateway",
      config: {
        gateway: { bind: `127.0.0.1:${edge}`, routes: [{ match: { path: "/*" }, to: "files" }] },
        registry: { static: { files: [`127.0.0.1:${app.port}`] } },
        policy: { upstreams: { files: { protocol: "http2" } } },
        log: { access: "errors", format: "text" },
      },
    });
    for (const [requests, streams] of RUNS) {
      await t.step(`${requests} with ${streams} at once on each of 8 connections`, async () => {
        const args = ["-n", String(requests), "-c", "8", "-m", String(streams)];
        const { code, text } = await run("h2load", ...args, `http://127.0.0.1:${edge}/small.txt`);
        assertEquals(code, 0, text);
        assertMatch(text, new RegExp(`${requests} succeeded, 0 failed, 0 errored, 0 timeout`));
        assertMatch(text, new RegExp(`status codes: ${requests} 2xx, 0 3xx, 0 4xx, 0 5xx`));
      });
    }
    assertEquals(gateway.process.hasExited, false);
  },
);
