// HTTP/1.1 and HTTP/2 in any order: real clients of either version, an app of the other, two sidecars in between.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { isInstalled } from "../../deploy/servers.ts";
import { startFixedRoad } from "./support/grpc_mesh.ts";
import { curl, run, startNghttpd } from "./support/programs.ts";
import { type AppCall, RawApp } from "./support/raw_app.ts";
import { inTime } from "./support/until.ts";
import { answer } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

const ignore = !["curl", "nghttp", "nghttpd"].every(isInstalled);
const LARGE_BYTES = 64 << 20;
const H1 = "--http1.1";
const H2 = "--http2-prior-knowledge";
const VERSIONS = [H1, H2] as const;
/** How curl is told to announce an upload. */
const LENGTHS = {
  "content-length": [],
  "no length": ["-H", "transfer-encoding: chunked"],
} as const;

/** A file of no two equal blocks; returns its path. */
async function writeLarge(directory: string): Promise<string> {
  const words = new Uint32Array(LARGE_BYTES / 4);
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i, 2654435761);
  const path = join(directory, "large");
  await Deno.writeFile(path, new Uint8Array(words.buffer));
  return path;
}

async function isSame(one: string, other: string): Promise<boolean> {
  return (await run("cmp", one, other)).code === 0;
}

Deno.test(
  { name: "an app that speaks HTTP/2 alone, called by either version", ignore },
  async (t) => {
    await using workspace = new Workspace();
    const large = await writeLarge(workspace.path);
    await workspace.write("small.txt", "small file\n");
    const flags = ["--echo-upload", "--no-content-length", "--trailer=x-sum: 42"];
    await using app = await startNghttpd(workspace.path, ...flags);
    await using road = await startFixedRoad(workspace, { grpc: app.port });
    const origin = `http://127.0.0.1:${road.port}`;

    for (const version of VERSIONS) {
      const status = version === H1 ? "HTTP/1.1 200 OK" : "HTTP/2 200";

      await t.step(`${version}: GET, HEAD and what is not there`, async () => {
        const { text } = await curl(version, `${origin}/small.txt`);
        assert(text.startsWith(status), text);
        assertStringIncludes(text, "\r\n\r\nsmall file\n");
        const head = await curl(version, `${origin}/small.txt`, "--head");
        assert(head.text.startsWith(status), head.text);
        assert(head.text.endsWith("\r\n\r\n"), head.text);
        assertMatch((await curl(version, `${origin}/none`)).text, /^HTTP\/[\d.]+ 404/);
      });

      await t.step(`${version}: trailers arrive`, async () => {
        const { text } = await curl(version, `${origin}/small.txt`, "-H", "te: trailers");
        assertMatch(text, /x-sum: 42\r\n/);
      });

      for (const [length, fields] of Object.entries(LENGTHS)) {
        await t.step(
          `${version}: 64 MiB with ${length} go up, and the same come down`,
          async () => {
            const back = join(workspace.path, "back");
            const args = ["-o", back, "-X", "POST", "--no-include", "-T", large, ...fields];
            await curl(version, `${origin}/echo`, ...args);
            assert(await isSame(large, back));
          },
        );
      }
    }

    await t.step("nghttp gets it as well, a hundred at once", async () => {
      const args = ["-H", ":authority: callee", "-m", "100", `${origin}/small.txt`];
      const { code, text } = await run("nghttp", ...args);
      assertEquals([code, text], [0, "small file\n".repeat(100)]);
    });
  },
);

/** What the HTTP/1.1 app writes, by target. */
const BYTES: Readonly<Record<string, string>> = {
  "/none": "HTTP/1.1 204 No Content\r\nx-kept: yes\r\n\r\n",
  "/same": 'HTTP/1.1 304 Not Modified\r\netag: "a"\r\ncontent-length: 5\r\n\r\n',
  "/hints": `HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n${answer("hinted")}`,
  "/trailers": "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n" +
    "5\r\nhello\r\n0\r\nx-sum: 42\r\n\r\n",
};

async function answerByTarget({ target, startLine, fields, body, wire }: AppCall): Promise<void> {
  if (startLine.startsWith("HEAD ")) {
    return await wire.write("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n");
  }
  if (target === "/seen") {
    return await wire.write(answer(`${startLine} ${fields.get("host")} ${body}`));
  }
  await wire.write(BYTES[target] ?? answer("ok"));
}

Deno.test({ name: "an app that speaks HTTP/1.1, called by HTTP/2", ignore }, async (t) => {
  await using workspace = new Workspace();
  await using app = new RawApp(answerByTarget);
  await using road = await startFixedRoad(workspace, { http: app.port });
  const origin = `http://127.0.0.1:${road.port}`;

  await t.step("gets a request of its own kind", async () => {
    const { text } = await curl(H2, `${origin}/seen`, "-d", "some=body");
    assert(text.endsWith("POST /seen HTTP/1.1 callee some=body"), text);
  });

  await t.step("HEAD has a length and no body", async () => {
    const { text } = await curl(H2, `${origin}/seen`, "--head");
    assertMatch(text, /^HTTP\/2 200[^]*content-length: 5\r\n[^]*\r\n\r\n$/);
  });

  await t.step("204 and 304 have no body and keep their fields", async () => {
    assertMatch(
      (await curl(H2, `${origin}/none`)).text,
      /^HTTP\/2 204[^]*x-kept: yes\r\n[^]*\r\n\r\n$/,
    );
    assertMatch(
      (await curl(H2, `${origin}/same`)).text,
      /^HTTP\/2 304[^]*etag: "a"\r\n[^]*\r\n\r\n$/,
    );
  });

  await t.step("early hints come before the response", async () => {
    const { text } = await curl(H2, `${origin}/hints`);
    assertMatch(text, /^HTTP\/2 103 \r\nlink: <\/a.css>\r\n\r\nHTTP\/2 200[^]*hinted$/);
  });

  await t.step("trailers arrive behind the body", async () => {
    const { text } = await curl(H2, `${origin}/trailers`, "-H", "te: trailers");
    assertMatch(text, /\r\n\r\nhello(x-sum: 42\r\n)/);
  });

  await t.step("nghttp may send trailers", async () => {
    const file = join(workspace.path, "small");
    await workspace.write("small", "body");
    const trailer = ["-d", file, "--trailer=x-tail: 1"];
    const authority = ["-H", ":authority: callee"];
    const { text } = await run("nghttp", ...authority, ...trailer, `${origin}/seen`);
    assertEquals(text, "POST /seen HTTP/1.1 callee body");
  });
});

/** An app by Deno's own server: takes and gives 64 MiB without keeping them. */
function streamingApp(large: string) {
  const options = { port: 0, hostname: "127.0.0.1", onListen: () => {} };
  return Deno.serve(options, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/early") return new Response("no need", { status: 413 });
    if (pathname === "/echo") return new Response(request.body);
    if (pathname === "/large") return new Response((await Deno.open(large)).readable);
    const hash = createHash("sha256");
    for await (const bytes of request.body ?? []) hash.update(bytes);
    return new Response(hash.digest("hex"));
  });
}

Deno.test({ name: "a streaming app of HTTP/1.1, called by either version", ignore }, async (t) => {
  await using workspace = new Workspace();
  const large = await writeLarge(workspace.path);
  const checksum = createHash("sha256").update(await Deno.readFile(large)).digest("hex");
  await using app = streamingApp(large);
  await using road = await startFixedRoad(workspace, { http: app.addr.port });
  const origin = `http://127.0.0.1:${road.port}`;

  for (const version of VERSIONS) {
    for (const [length, fields] of Object.entries(LENGTHS)) {
      await t.step(`${version}: 64 MiB with ${length} go up`, async () => {
        const args = ["-X", "POST", "--no-include", "-T", large, ...fields];
        assertEquals((await curl(version, `${origin}/checksum`, ...args)).text, checksum);
      });
    }

    await t.step(`${version}: 64 MiB come down`, async () => {
      const back = join(workspace.path, "back");
      await curl(version, `${origin}/large`, "-o", back, "--no-include");
      assert(await isSame(large, back));
    });

    await t.step(`${version}: who expects 100-continue hears it before the response`, async () => {
      const args = ["-H", "expect: 100-continue", "--data-binary", "body"];
      const { text } = await curl(version, `${origin}/echo`, ...args);
      assertMatch(text, /^HTTP\/[\d.]+ 100[^]*HTTP\/[\d.]+ 200[^]*\r\n\r\nbody$/);
    });
  }

  await t.step("an answer that does not wait for the upload is heard", async () => {
    const upload = ["-X", "POST", "-T", large];
    const { text } = await inTime("the answer", curl(H1, `${origin}/early`, ...upload));
    assertMatch(text, /^(HTTP\/1.1 100 Continue\r\n\r\n)?HTTP\/1.1 413/);
    // Debian's curl takes RST_STREAM(NO_ERROR) behind a whole response, which RFC 9113 8.1 allows, for a failure.
    const authority = ["-H", ":authority: callee"];
    const nghttp = run("nghttp", ...authority, "-d", large, `${origin}/early`);
    assertEquals((await inTime("the answer", nghttp)).text, "no need");
  });
});
