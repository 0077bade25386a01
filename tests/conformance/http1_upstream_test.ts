// What a running sidecar makes of upstreams that are broken, hostile, or merely odd.
import { assert, assertEquals } from "@std/assert";
import { head, LIMITS } from "../support/http1_cases/case.ts";
import { CHUNKED_BODIES, RESPONSES } from "../support/http1_cases/responses.ts";
import type { RawClient, RawResponse } from "../support/raw_client.ts";
import { type BackendConnection, ok } from "../support/recording_backend.ts";
import { Rig } from "../support/http1_rig.ts";

const SMUGGLED = ok("smuggled");
const CHUNKED = head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked");

/** Answers `target` with these bytes once, then does what `then` says. */
function answer(
  rig: Rig,
  target: string,
  bytes: string,
  then: (connection: BackendConnection) => Promise<void> | void = (connection) => connection.gone(),
): void {
  rig.backend.on(target, async (connection) => {
    await connection.write(bytes);
    await then(connection);
  });
}

const keep = () => {};
const close = (connection: BackendConnection) => connection.close();

async function get(
  client: RawClient,
  target: string,
  method = "GET",
  ...fields: string[]
): Promise<RawResponse> {
  await client.send(head(`${method} ${target} HTTP/1.1`, "Host: a", ...fields));
  return await client.response(method);
}

async function expectRefused(rig: Rig, target: string, reason: string, method = "GET") {
  await rig.client(async (client) => {
    const response = await get(client, target, method);
    assertEquals([response.status, response.get("x-mesh-reason")], [502, reason]);
    // What the upstream did is no reason to lose the client.
    assertEquals((await get(client, "/still-here")).body, "GET /still-here");
  });
  await rig.expectClean();
}

/** Sends `begin`, and what breaks it once the client has that: nothing of it may look like the end. */
async function expectCut(
  rig: Rig,
  target: string,
  begin: string,
  breaks: (connection: BackendConnection) => Promise<unknown> | void,
): Promise<void> {
  const begun = Promise.withResolvers<void>();
  answer(rig, target, begin, async (connection) => {
    await begun.promise;
    await breaks(connection);
  });
  await rig.client(async (client) => {
    await client.send(head(`GET ${target} HTTP/1.1`, "Host: a"));
    await client.receive("begun");
    begun.resolve();
    const { rest } = await client.ended();
    const [fields = "", body = ""] = rest.split("\r\n\r\n");
    const length = /content-length: (\d+)/i.exec(fields)?.[1];
    if (length === undefined) assert(!/(^|\r\n)0+(;|\r\n)/.test(body), `a last chunk: ${rest}`);
    else assert(body.length < Number(length), `all of it: ${rest}`);
  });
  await rig.expectClean();
}

Deno.test("a response that is none is answered 502, and the next one is right", async (t) => {
  const { headBytes, headers } = LIMITS;
  await Rig.run({ limits: { head: `${headBytes}B`, headers } }, async (rig) => {
    for (const [index, { name, bytes, method, refused }] of RESPONSES.entries()) {
      if (refused === undefined) continue;
      await t.step(name, async () => {
        answer(rig, `/${index}`, bytes + SMUGGLED);
        await expectRefused(rig, `/${index}`, "upstream-protocol", method);
      });
    }
  });
});

Deno.test("a body that is none is answered 502 while nothing was sent, and cut when something was", async (t) => {
  const { headBytes, headers } = LIMITS;
  await Rig.run({ limits: { head: `${headBytes}B`, headers } }, async (rig) => {
    for (const [index, { name, bytes, refused }] of CHUNKED_BODIES.entries()) {
      if (refused === undefined) continue;
      await t.step(name, async () => {
        await expectCut(rig, `/cut/${index}`, CHUNKED + "5\r\nbegun\r\n", async (connection) => {
          await connection.write(bytes + SMUGGLED);
          await connection.gone();
        });
      });
      // A long one is not there at once.
      if (bytes.length > 600) continue;
      await t.step(`${name}, at once`, async () => {
        answer(rig, `/at-once/${index}`, CHUNKED + bytes + SMUGGLED);
        await expectRefused(rig, `/at-once/${index}`, "upstream-protocol");
      });
    }
  });
});

Deno.test("an upstream that breaks off costs its own exchange and no other", async (t) => {
  await Rig.run({ timeout: "500ms" }, async (rig) => {
    const refused: readonly (readonly [string, string, string])[] = [
      ["closes without a word", "", "upstream-reset"],
      ["closes within its status line", "HTTP/1.1 20", "upstream-reset"],
      ["closes within its head", "HTTP/1.1 200 OK\r\nX: y\r\n", "upstream-reset"],
      ["closes behind 100 Continue", head("HTTP/1.1 103 X"), "upstream-reset"],
      ["switches protocols unasked", head("HTTP/1.1 101 X", "Upgrade: x"), "upstream-protocol"],
      [
        "says nothing but informational things",
        head("HTTP/1.1 103 X").repeat(99),
        "upstream-protocol",
      ],
      [
        "has a head of 70 KB",
        head("HTTP/1.1 200 OK", "X: " + "y".repeat(70_000)),
        "upstream-protocol",
      ],
      ["speaks TLS", "\x15\x03\x03\x00\x02\x02\x28", "upstream-protocol"],
      ["speaks HTTP/2", "\x00\x00\x00\x04\x00\x00\x00\x00\x00", "upstream-protocol"],
    ];
    for (const [index, [name, bytes, reason]] of refused.entries()) {
      await t.step(name, async () => {
        answer(rig, `/refused/${index}`, bytes, close);
        await expectRefused(rig, `/refused/${index}`, reason);
      });
    }
    const cut: readonly (readonly [string, string])[] = [
      ["before its length", head("HTTP/1.1 200 OK", "Content-Length: 50") + "begun"],
      ["within a chunk", CHUNKED + "9\r\nbegun"],
      ["between chunks", CHUNKED + "5\r\nbegun\r\n"],
      ["within its trailers", CHUNKED + "5\r\nbegun\r\n0\r\nX: y\r\n"],
    ];
    for (const [index, [name, begin]] of cut.entries()) {
      for (const how of ["close", "reset"] as const) {
        await t.step(`${how}s ${name}`, async () => {
          await expectCut(rig, `/${how}/${index}`, begin, (connection) => connection[how]());
        });
      }
    }
    await t.step("resets within a body that only its end delimits", async () => {
      const begin = head("HTTP/1.1 200 OK") + "begun";
      await expectCut(rig, "/reset", begin, (connection) => connection.reset());
    });
    await t.step("never answers", async () => {
      answer(rig, "/silent", "");
      await rig.client(async (client) => {
        const response = await get(client, "/silent");
        assertEquals([response.status, response.get("x-mesh-reason")], [504, "deadline"]);
      });
      await rig.expectClean();
    });
  });
});

Deno.test("bytes that an upstream sends too many reach nobody", async (t) => {
  await Rig.run({}, async (rig) => {
    const bodies: readonly (readonly [string, string, string])[] = [
      ["behind a length", "GET", ok("hello") + SMUGGLED],
      ["behind chunks", "GET", CHUNKED + "5\r\nhello\r\n0\r\n\r\n" + SMUGGLED],
      ["behind the answer to HEAD", "HEAD", ok("hello") + SMUGGLED],
      ["behind 204", "GET", head("HTTP/1.1 204 X", "Content-Length: 5") + "hello" + SMUGGLED],
      ["behind 304", "GET", head("HTTP/1.1 304 X", "Content-Length: 5") + "hello" + SMUGGLED],
      ["half a response", "GET", ok("hello") + "HTTP/1.1 2"],
    ];
    for (const [index, [name, method, bytes]] of bodies.entries()) {
      await t.step(name, async () => {
        answer(rig, `/${index}`, bytes);
        await rig.client(async (client) => {
          const { body } = await get(client, `/${index}`, method);
          assert(body === "hello" || body === "", body);
          const last = rig.backend.requests.at(-1)!.connection;
          assertEquals((await get(client, "/next")).body, "GET /next");
          assert(rig.backend.requests.at(-1)!.connection !== last, "the connection was used again");
        });
        await rig.expectClean();
      });
    }
    await t.step("while its connection is idle", async () => {
      const done = Promise.withResolvers<void>();
      answer(rig, "/idle", ok("hello"), async (connection) => {
        await done.promise;
        await connection.write(SMUGGLED);
        await connection.gone();
        left.resolve();
      });
      const left = Promise.withResolvers<void>();
      await rig.client(async (client) => {
        assertEquals((await get(client, "/idle")).body, "hello");
        done.resolve();
        await left.promise;
        assertEquals((await get(client, "/next")).body, "GET /next");
      });
      await rig.expectClean();
    });
  });
});

Deno.test("a reused connection that dies is replaced where that is safe", async (t) => {
  await Rig.run({}, async (rig) => {
    /** The first request on a connection is answered, the second closes it without a word. */
    const dying = (target: string) => {
      const met = new Set<number>();
      rig.backend.on(target, async (connection, { connection: number }) => {
        const last = rig.backend.requests.filter((request) => request.connection === number);
        if (last.length > 1 && !met.has(0)) {
          met.add(0);
          connection.close();
        } else await connection.write(ok("hello"));
      });
    };
    await t.step("a GET is sent again", async () => {
      dying("/get");
      await rig.client(async (client) => {
        for (let i = 0; i < 3; i++) assertEquals((await get(client, "/get")).body, "hello");
      });
      assertEquals(rig.backend.requests.length, 4);
    });
    await t.step("a POST is not", async () => {
      dying("/post");
      await rig.client(async (client) => {
        const { status, get: field } = await get(client, "/post", "POST", "Content-Length: 0");
        assertEquals([status, field("x-mesh-reason")], [502, "upstream-reset"]);
      });
      await rig.expectClean();
    });
  });
});

Deno.test("what an upstream says about its own hop stays there, and the rest goes on in order", async () => {
  await Rig.run({}, async (rig) => {
    answer(
      rig,
      "/hop",
      head(
        "HTTP/1.1 200 Fine",
        "Connection: x-hop, keep-alive",
        "X-Hop: 1",
        "Keep-Alive: timeout=5",
        "Proxy-Authenticate: Basic",
        "Upgrade: h2c",
        "Trailer: X-Sum",
        "Set-Cookie: a=1",
        "X-Odd: caf\xe9 ",
        "Set-Cookie: b=2",
        "Transfer-Encoding: chunked",
      ) + "5;x=y\r\nhello\r\n0\r\nX-Sum: 5\r\nSet-Cookie: evil\r\nContent-Length: 1\r\n\r\n",
      keep,
    );
    await rig.client(async (client) => {
      const { fields, body, trailers } = await get(client, "/hop");
      const own = fields.filter(([name]) => name !== "x-request-id");
      assertEquals(own, [
        ["set-cookie", "a=1"],
        ["x-odd", "caf\xe9"],
        ["set-cookie", "b=2"],
        ["transfer-encoding", "chunked"],
      ]);
      assertEquals([body, trailers], ["hello", [["x-sum", "5"]]]);
    });
    await rig.expectClean();
  });
});

Deno.test("every way to end a body arrives whole, at clients of both versions", async (t) => {
  await Rig.run({}, async (rig) => {
    const bodies: readonly (readonly [string, string, (connection: BackendConnection) => void])[] =
      [
        ["a length", ok("hello"), keep],
        ["chunks", CHUNKED + "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", keep],
        ["the end of the connection", head("HTTP/1.1 200 OK") + "hello", close],
        ["HTTP/1.0", head("HTTP/1.0 200 OK") + "hello", close],
        ["a length and the end", head("HTTP/1.0 200 OK", "Content-Length: 5") + "hello", close],
      ];
    for (const [index, [name, bytes, then]] of bodies.entries()) {
      await t.step(name, async () => {
        answer(rig, `/${index}`, bytes, then);
        await rig.client(async (client) => {
          for (let i = 0; i < 2; i++) assertEquals((await get(client, `/${index}`)).body, "hello");
          await client.send(head(`GET /${index} HTTP/1.0`));
          assertEquals((await client.ended()).rest.split("\r\n\r\n")[1], "hello");
        });
        await rig.expectClean();
      });
    }
    await t.step("none at all", async () => {
      const none = (line: string, ...fields: string[]) => head(`HTTP/1.1 ${line}`, ...fields);
      answer(rig, "/204", none("204 No Content"), keep);
      answer(rig, "/304", none("304 Not Modified", "Content-Length: 99", "ETag: x"), keep);
      answer(rig, "/head", none("200 OK", "Content-Length: 99"), keep);
      answer(rig, "/head-chunked", none("200 OK", "Transfer-Encoding: chunked"), keep);
      await rig.client(async (client) => {
        assertEquals((await get(client, "/204")).get("content-length"), undefined);
        assertEquals((await get(client, "/304")).get("content-length"), "99");
        assertEquals((await get(client, "/head", "HEAD")).get("content-length"), "99");
        assertEquals((await get(client, "/head-chunked", "HEAD")).status, 200);
        assertEquals((await get(client, "/next")).body, "GET /next");
      });
      await rig.expectClean();
      const used = new Set(rig.backend.requests.slice(-6).map(({ connection }) => connection));
      assertEquals(used.size, 1, "a response without a body cost its connection");
    });
  });
});
