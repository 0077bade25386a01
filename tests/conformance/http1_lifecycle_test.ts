// Connections over their life in a running sidecar: slow, silent and leaving peers on either side, early answers, and
// bodies that must not pile up. The sweeper looks every 250 ms, so limits here are that small.
import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { head } from "../support/http1_cases/case.ts";
import { Rig } from "../support/http1_rig.ts";
import { RawClient, type RawResponse } from "../support/raw_client.ts";
import { type BackendConnection, ok } from "../support/recording_backend.ts";

const CHUNKED_POST = (target: string) =>
  head(`POST ${target} HTTP/1.1`, "Host: a", "Transfer-Encoding: chunked");
const CHUNKED = head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked");
const MEGABYTE = "0123456789abcdef".repeat(65_536);
const CHUNK = `100000\r\n${MEGABYTE}\r\n`;

/** What kernels and the sidecar may hold of a body that nobody reads. */
const MAX_IN_BETWEEN = 32;

function get(target: string, ...fields: string[]): string {
  return head(`GET ${target} HTTP/1.1`, "Host: a", ...fields);
}

function post(target: string, length: number, ...fields: string[]): string {
  return head(`POST ${target} HTTP/1.1`, "Host: a", `Content-Length: ${length}`, ...fields);
}

/** Takes `target` over: `begun` resolves with its connection once its head is there, which is then left to the test. */
function hold(rig: Rig, target: string, first = ""): Promise<BackendConnection> {
  const begun = Promise.withResolvers<BackendConnection>();
  rig.backend.on(target, async (connection) => {
    if (first !== "") await connection.write(first);
    begun.resolve(connection);
    await connection.gone();
  });
  return begun.promise;
}

const IMPATIENT = { headTimeout: "500ms", idleTimeout: "1s", connections: 8 };

Deno.test("peers that are too slow are told or cut, and cost nobody else", async (t) => {
  await Rig.run({ limits: IMPATIENT }, async (rig) => {
    const step = (name: string, run: (client: RawClient) => Promise<void>) =>
      t.step(name, async () => {
        await rig.client(run);
        await rig.expectClean();
      });

    await step("a head that does not become whole is answered 408", async (client) => {
      await client.send("GET / HTTP/1.1\r\nHost: a\r\nX: ");
      const response = await client.response();
      assertEquals([response.status, response.get("x-mesh-reason")], [408, "request-timeout"]);
      assertEquals(response.get("connection"), "close");
      assertEquals(await client.ended(), { how: "closed", rest: "" });
    });

    await step("the head of a second request too", async (client) => {
      await client.send(get("/first") + "GET /sec");
      assertEquals((await client.response()).body, "GET /first");
      assertEquals((await client.response()).status, 408);
    });

    await step("a connection without a byte is closed without a word", async (client) => {
      assertEquals(await client.ended(), { how: "closed", rest: "" });
    });

    await step("a connection that fell silent is closed without a word", async (client) => {
      await client.send(get("/once"));
      assertEquals((await client.response()).body, "GET /once");
      assertEquals(await client.ended(), { how: "closed", rest: "" });
    });

    await step(
      "a request body that stalls is answered 408, and the upstream is let go",
      async (client) => {
        const upstream = hold(rig, "/stalled");
        await client.send(post("/stalled", 10) + "hello");
        const response = await client.response();
        assertEquals([response.status, response.get("x-mesh-reason")], [408, "request-timeout"]);
        assertEquals((await client.ended()).rest, "");
        await (await upstream).gone();
      },
    );

    await step("a response body that stalls is cut, and does not look whole", async (client) => {
      hold(rig, "/half", CHUNKED + "5\r\nhello\r\n");
      await client.send(get("/half"));
      const { rest } = await client.ended();
      assertStringIncludes(rest, "5\r\nhello\r\n");
      assert(!rest.includes("0\r\n\r\n"), rest);
    });

    await step("a client that does not read stops the upstream, and is cut", async (client) => {
      let written = 0;
      const over = Promise.withResolvers<void>();
      rig.backend.on("/endless", async (connection) => {
        await connection.write(CHUNKED);
        while (await connection.write(CHUNK)) written++;
        over.resolve();
      });
      await client.send(get("/endless"));
      await over.promise;
      assertLess(written, MAX_IN_BETWEEN);
    });

    await step(
      "an upstream that does not read stops the client, and is given up",
      async (client) => {
        rig.backend.on("/unread", async (connection) => {
          connection.pause();
          await connection.gone();
        });
        await client.send(CHUNKED_POST("/unread"));
        let sent = 0;
        const answered = client.response().then(({ status }) => status);
        const sending = (async () => {
          while (sent < 3 * MAX_IN_BETWEEN && await client.send(CHUNK)) sent++;
        })();
        assertEquals(await answered, 504);
        client.close();
        await sending;
        assertLess(sent, MAX_IN_BETWEEN);
      },
    );
  });
});

Deno.test("more connections than allowed are answered 503, and places come free again", async () => {
  await Rig.run({ limits: { connections: 4 } }, async (rig) => {
    const clients: RawClient[] = [];
    for (let i = 0; i < 4; i++) {
      const client = await rig.connect();
      await client.send(get(`/${i}`));
      assertEquals((await client.response()).status, 200);
      clients.push(client);
    }
    await rig.client(async (client) => {
      const response = await client.response();
      assertEquals([response.status, response.get("x-mesh-reason")], [503, "too-many-connections"]);
      assertEquals([response.get("retry-after"), response.get("connection")], ["1", "close"]);
      await client.ended();
    });
    await clients[0]!.send(get("/last", "Connection: close"));
    assertEquals((await clients[0]!.response()).body, "GET /last");
    await clients[0]!.ended();
    await rig.expectClean();
    for (const client of clients) client.close();
  });
});

Deno.test("whoever leaves ends the work on the other side", async (t) => {
  await Rig.run({}, async (rig) => {
    const leaving: readonly (readonly [string, (client: RawClient) => void])[] = [
      ["closes", (client) => client.close()],
      ["resets", (client) => client.reset()],
    ];
    for (const [how, leave] of leaving) {
      const requests: readonly (readonly [string, string, string, boolean])[] = [
        ["while it waits", get(`/waiting/${how}`), "", true],
        ["behind its body", post(`/waiting/${how}/post`, 5) + "hello", "", true],
        ["within its body", post(`/uploading/${how}`, 10) + "hello", "", false],
        ["within its chunks", CHUNKED_POST(`/chunks/${how}`) + "5\r\nhel", "", false],
        ["within the response", get(`/reading/${how}`), CHUNKED + "5\r\nhello\r\n", true],
      ];
      for (const [when, request, first, isWhole] of requests) {
        await t.step(`a client that ${how} ${when}`, async () => {
          const target = request.split(" ")[1]!;
          const upstream = hold(rig, target, first);
          const client = await rig.connect();
          await client.send(request);
          const connection = await upstream;
          if (first !== "") await client.receive("hello");
          leave(client);
          await connection.gone();
          await rig.expectClean();
          const seen = rig.backend.requests.some((request) => request.target === target);
          assertEquals([seen, rig.backend.halves.includes(target)], [isWhole, !isWhole]);
        });
      }
      await t.step(`a client that ${how} while it is flooded`, async () => {
        const over = Promise.withResolvers<void>();
        rig.backend.on(`/flood/${how}`, async (connection) => {
          await connection.write(CHUNKED);
          while (await connection.write(CHUNK));
          over.resolve();
        });
        const client = await rig.connect();
        await client.send(get(`/flood/${how}`));
        await client.receiveBytes(MEGABYTE.length);
        leave(client);
        await over.promise;
        await rig.expectClean();
      });
    }
  });
});

Deno.test("an early answer to a body that nobody reads arrives, and ends the connection", async (t) => {
  await Rig.run({}, async (rig) => {
    const answer = head("HTTP/1.1 413 Too Large", "Content-Length: 5") + "enough".slice(0, 5);
    for (const then of ["keeps", "closes"] as const) {
      await t.step(`the upstream ${then} its connection`, async () => {
        rig.backend.on(`/early/${then}`, async (connection) => {
          await connection.write(answer);
          if (then === "closes") connection.close();
          await connection.gone();
        });
        await rig.client(async (client) => {
          const sending = client.send(
            post(`/early/${then}`, 100_000_000) + MEGABYTE.slice(0, 200_000),
          );
          const response = await client.response();
          assertEquals([response.status, response.body], [413, "enoug"]);
          assertEquals(response.get("connection"), "close");
          await sending;
          assertEquals(await client.ended(), { how: "closed", rest: "" });
        });
        await rig.expectClean();
      });
    }
    await t.step("the sidecar's own answer too", async () => {
      await rig.client(async (client) => {
        const sending = client.send(post("/a/../b", 100_000_000) + MEGABYTE.slice(0, 200_000));
        const response = await client.response();
        assertEquals([response.status, response.get("connection")], [400, "close"]);
        await sending;
        assertEquals(await client.ended(), { how: "closed", rest: "" });
      });
      await rig.expectClean();
    });
  });
});

Deno.test("informational responses come before the final one, and 100 Continue before the body", async () => {
  await Rig.run({}, async (rig) => {
    rig.backend.on("/continue", async (connection) => {
      await connection.write(
        head("HTTP/1.1 103 Early Hints", "Link: </a>", "Connection: x-hop", "X-Hop: 1"),
      );
      await connection.write(head("HTTP/1.1 100 Continue"));
      await connection.receive("hello");
      await connection.write(ok("done"));
    });
    await rig.client(async (client) => {
      const interims: RawResponse[] = [];
      await client.send(post("/continue", 5, "Expect: 100-continue"));
      await client.receive("HTTP/1.1 100 Continue\r\n\r\n");
      await client.send("hello");
      assertEquals((await client.response("POST", interims)).body, "done");
      assertEquals(interims.map(({ status, fields }) => [status, ...fields]), [
        [103, ["link", "</a>"]],
        [100],
      ]);
      await client.send(head("GET /continue HTTP/1.0", "Connection: keep-alive"));
    });
    await rig.expectClean();
    const { body, fields } = rig.backend.requests[0]!;
    assertEquals([body, fields.some(([name]) => name === "expect")], ["hello", true]);
  });
});

Deno.test("large bodies arrive as they were sent, both ways at once", async (t) => {
  await Rig.run({}, async (rig) => {
    const text = MEGABYTE + "the end";
    const chunked = `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
    // The last one is what stays together however the sidecar cuts the chunks anew.
    const codings = [
      ["length", `Content-Length: ${text.length}`, text, "the end"],
      ["chunked", "Transfer-Encoding: chunked", chunked, "\r\n0\r\n\r\n"],
    ] as const;
    for (const [coding, fields, body, end] of codings) {
      await t.step(coding, async () => {
        const target = `/${coding}`;
        rig.backend.on(target, async (connection) => {
          const half = body.length / 2;
          await connection.write(head("HTTP/1.1 200 OK", fields) + body.slice(0, half));
          await connection.receive(end);
          await connection.write(body.slice(half));
        });
        await rig.client(async (client) => {
          const sending = client.send(head(`POST ${target} HTTP/1.1`, "Host: a", fields) + body);
          const response = await client.response();
          await sending;
          assert(response.body === text, "the response is not what was sent");
        });
        await rig.expectClean();
        const request = rig.backend.requests.find((request) => request.target === target);
        assert(request?.body === text, "the request is not what was sent");
      });
    }
  });
});

Deno.test("pipelined requests are answered in order, however long each takes", async () => {
  await Rig.run({}, async (rig) => {
    const begun = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    rig.backend.on("/slow", async (connection) => {
      begun.resolve();
      await finish.promise;
      await connection.write(ok("slow"));
    });
    await rig.client(async (client) => {
      await client.send(get("/slow") + get("/1") + post("/2", 5) + "hello" + get("/3"));
      await begun.promise;
      assertEquals(rig.backend.requests.map(({ target }) => target), ["/slow"]);
      finish.resolve();
      const bodies: string[] = [];
      for (let i = 0; i < 4; i++) bodies.push((await client.response()).body);
      assertEquals(bodies, ["slow", "GET /1", "POST /2", "GET /3"]);
    });
    await rig.expectClean();
  });
});

Deno.test("requests one after the other share one upstream connection", async () => {
  await Rig.run({}, async (rig) => {
    await rig.client(async (client) => {
      for (let i = 0; i < 20; i++) {
        await client.send(i % 2 === 0 ? get("/kept") : post("/kept", 5) + "hello");
        assertEquals((await client.response()).status, 200);
      }
    });
    await rig.expectClean();
    assertEquals(rig.backend.connections, 1);
  });
});
