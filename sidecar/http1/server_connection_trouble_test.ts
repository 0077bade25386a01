// Clients that are slow, gone, or never read: what a server connection must not suffer from.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { head } from "../../tests/support/http1_cases/case.ts";
import { responsesIn, ServerTest, streaming } from "../../tests/support/http1_server.ts";
import { quiet } from "../../tests/support/memory_transport.ts";
import { PushBody, responseOf, textOf } from "../../tests/support/messages.ts";
import { ProxyError } from "../errors.ts";
import { EMPTY_BODY } from "../http/body.ts";
import { FieldList } from "../http/fields.ts";
import type { Incoming, Response } from "../http/message.ts";

const GET = head("GET / HTTP/1.1", "Host: a");

function post(length: number): string {
  return head("POST / HTTP/1.1", "Host: a", `Content-Length: ${length}`);
}

const CHUNKED_POST = head("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked");

/** A handler that never answers by itself, but does when its exchange is called off. */
function untilCancelled({ cancellation }: Incoming): Promise<Response> {
  return new Promise((resolve) => {
    cancellation.onCancel((reason) => resolve(responseOf((reason as ProxyError).kind, 408)));
  });
}

Deno.test("a head that does not arrive in time is answered 408, however often a byte of it comes", async () => {
  const server = new ServerTest();
  const slow = "GET / HTTP/1.1\r\nX: slow";
  await server.sweep(0);
  for (let i = 0; i < 20; i++) {
    server.transport.send(slow[i]!);
    assertEquals(await server.sweep(i * 500), "");
  }
  const text = await server.sweep(10_000);
  assertStringIncludes(text, "HTTP/1.1 408 Request Timeout\r\n");
  assertStringIncludes(text, "\r\nconnection: close\r\n");
  assertEquals([server.isOver, server.transport.isClosed, server.targets], [true, true, []]);
});

Deno.test("a head that was slow and is whole in time is answered", async () => {
  const server = new ServerTest();
  server.transport.send(GET.slice(0, 5));
  await server.sweep(0, 9_999);
  assertEquals(responsesIn(await server.send(GET.slice(5))), ["200 OK|GET /"]);
  await server.hangUp();
});

Deno.test("a client that does not read its 408 is cut all the same", async () => {
  const server = new ServerTest();
  server.transport.send("GET");
  server.transport.stall();
  await server.sweep(0, 10_000);
  assertEquals(server.transport.isClosed, false);
  await server.sweep(10_001, 12_001);
  assertEquals([server.isOver, server.transport.isClosed], [true, true]);
});

Deno.test("an idle connection is closed after its time, and each request starts the time anew", async () => {
  const server = new ServerTest();
  await server.sweep(0, 59_999);
  await server.send(GET);
  assertEquals(await server.sweep(60_000, 119_999), "");
  assertEquals(server.transport.isClosed, false);
  assertEquals(await server.sweep(120_000), "");
  assertEquals([server.isOver, server.transport.isClosed], [true, true]);
});

Deno.test("an idle connection is given its whole time after a long exchange with a body", async () => {
  for (let pulls = 1; pulls < 6; pulls++) {
    let answer: (response: Response) => void = () => {};
    const server = new ServerTest(async ({ request }) => {
      await textOf(request.body);
      return await new Promise((resolve) => answer = resolve);
    });
    await server.send(post(pulls));
    for (let i = 0; i < pulls; i++) await server.send("x");
    await server.sweep(0, 59_000);
    answer(responseOf("late"));
    assertEquals(responsesIn(await server.answer()), ["200 OK|late"]);
    await server.sweep(59_001, 61_000);
    assertEquals(server.transport.isClosed, false, `closed too early after ${pulls} pulls`);
    await server.hangUp();
  }
});

Deno.test("a request body that stalls calls the exchange off", async () => {
  const server = new ServerTest(untilCancelled);
  const reading: Promise<unknown>[] = [];
  await server.send(post(10) + "hello");
  const { request } = server.incoming[0]!;
  reading.push(textOf(request.body).catch((error) => error.kind));
  await server.sweep(0, 30_000);
  await server.send("more");
  assertEquals(await server.sweep(60_000, 119_999), "");
  const text = await server.sweep(120_000);
  assertEquals(responsesIn(text), ["408 Request Timeout|request-timeout"]);
  assertStringIncludes(text, "\r\nconnection: close\r\n");
  await server.hangUp();
  await Promise.all(reading);
});

Deno.test("a request body that stalls under a handler that only reads ends with the connection", async () => {
  const server = new ServerTest(async ({ request }) => responseOf(await textOf(request.body)));
  server.transport.send(post(10) + "hello");
  await server.sweep(0, 60_000, 60_250);
  assertEquals([server.isOver, server.transport.isClosed], [true, true]);
  assertEquals(server.incoming.length, 1);
});

Deno.test("waiting for the upstream is not the client's fault", async () => {
  const server = new ServerTest(untilCancelled);
  await server.send(GET);
  await server.sweep(0, 60_000, 600_000);
  assertEquals([server.incoming[0]!.cancellation.isCancelled, server.isOver], [false, false]);
  await server.hangUp();
});

Deno.test("a client that stops reading a response is cut, and what makes the response is told", async () => {
  const body = new PushBody();
  const server = new ServerTest(streaming(body));
  await server.send(GET);
  server.transport.stall();
  body.give("x".repeat(1000));
  await server.sweep(0, 59_999);
  assertEquals(server.transport.isClosed, false);
  await server.sweep(60_000);
  assertEquals([server.isOver, server.transport.isClosed, body.isCancelled], [true, true, true]);
  const { error } = server.outcomes[0]!;
  assertEquals((error as ProxyError).kind, "downstream-gone");
  assert(server.incoming[0]!.cancellation.isCancelled);
});

Deno.test("a client that reads slowly but reads is not cut", async () => {
  const body = new PushBody();
  const server = new ServerTest(streaming(body));
  await server.send(GET);
  for (let time = 0; time <= 300_000; time += 50_000) {
    server.transport.stall();
    body.give("x");
    await server.sweep(time, time + 49_000);
    server.transport.resume();
    await server.sweep(time + 49_999);
  }
  assertEquals(server.isOver, false);
  await server.hangUp();
});

Deno.test("a client that goes away calls its exchange off", async () => {
  for (const how of ["end", "reset"] as const) {
    for (const request of [GET, post(5) + "hello", CHUNKED_POST + "0\r\n\r\n"]) {
      const server = new ServerTest(async (incoming) => {
        await textOf(incoming.request.body);
        return await untilCancelled(incoming);
      });
      await server.send(request);
      server.transport[how]();
      await quiet(server.transport);
      const { reason } = server.incoming[0]!.cancellation;
      assertEquals((reason as ProxyError).kind, "downstream-gone", `${how} ${request}`);
      assertEquals([server.isOver, server.outcomes.length], [true, 1]);
    }
  }
});

Deno.test("a client that goes away within its body calls its exchange off", async () => {
  for (const how of ["end", "reset"] as const) {
    for (const request of [post(9) + "hello", CHUNKED_POST + "9\r\nhello", CHUNKED_POST]) {
      let read: unknown;
      const server = new ServerTest(async ({ request }) => {
        read = await textOf(request.body).catch((error) => error.kind);
        return responseOf("late", 499);
      });
      await server.send(request);
      server.transport[how]();
      await quiet(server.transport);
      assertEquals([read, server.isOver], ["downstream-gone", true], `${how} ${request}`);
      assert(server.incoming[0]!.cancellation.isCancelled);
    }
  }
});

Deno.test("a response that cannot be written any more cancels its body", async () => {
  const body = new PushBody();
  const server = new ServerTest(streaming(body));
  await server.send(GET);
  server.transport.refuseWrites();
  body.give("abc");
  await quiet(server.transport);
  assertEquals([body.isCancelled, server.isOver], [true, true]);
  assertEquals((server.outcomes[0]!.error as ProxyError).kind, "downstream-gone");
});

Deno.test("a connection that is cut cancels what is under way and answers nothing", async () => {
  const server = new ServerTest(untilCancelled);
  await server.send(GET);
  server.connection.abort();
  server.connection.abort();
  assertEquals(await server.answer(), "");
  assertEquals([server.isOver, server.outcomes.length], [true, 1]);
  assertEquals(server.outcomes[0]!.bodyBytes, 0);
});

Deno.test("an outcome counts the bytes of its own response", async () => {
  let body: PushBody;
  const server = new ServerTest((incoming) => {
    if (incoming.request.method === "HEAD") return responseOf("not sent");
    body = new PushBody().give("hello");
    return streaming(body)(incoming);
  });
  await server.send(GET);
  body!.give(null);
  await server.send(head("HEAD / HTTP/1.1", "Host: a"));
  await server.send(GET);
  server.connection.abort();
  await quiet(server.transport);
  assertEquals(server.outcomes.map(({ bodyBytes }) => bodyBytes), [5, 0, 5]);
});

Deno.test("an outcome of nothing written counts nothing of the response before", async () => {
  const server = new ServerTest((incoming) =>
    incoming.request.method === "HEAD" ? untilCancelled(incoming) : responseOf("hello")
  );
  await server.send(GET + head("HEAD / HTTP/1.1", "Host: a"));
  server.connection.abort();
  await quiet(server.transport);
  assertEquals(server.outcomes.map(({ bodyBytes }) => bodyBytes), [5, 0]);
});

Deno.test("a response that breaks half-way does not look whole", async () => {
  for (const length of [undefined, 12]) {
    const body = new PushBody(length).give("hello");
    const server = new ServerTest(streaming(body));
    server.transport.send(GET + GET);
    await quiet(server.transport);
    body.give(new Error("upstream broke"));
    const text = await server.answer();
    assert(!text.includes("0\r\n\r\n"), text);
    assertEquals([server.isOver, server.transport.isClosed, server.targets], [true, true, ["/"]]);
    assertEquals(server.outcomes.length, 1);
  }
});

Deno.test("a response that breaks before a byte of it left gives way to one that says so", async () => {
  const broken = new ProxyError("upstream-protocol", "no chunk", { side: "upstream" });
  const bodies: PushBody[] = [];
  const server = new ServerTest(() => {
    bodies.push(new PushBody().give(broken));
    return { status: 200, headers: FieldList.of({ x: "y" }), body: bodies.at(-1)! };
  });
  const text = await server.send(GET + head("GET / HTTP/1.0", "Connection: keep-alive"));
  assertEquals(responsesIn(text), Array(2).fill('502 Bad Gateway|{"error":"bad gateway"}'));
  assert(!text.includes("x: y"), text);
  assertEquals(server.outcomes.map(({ error }) => error), [broken, broken]);
  assertEquals([bodies.every((body) => body.isCancelled), server.isOver], [true, true]);
});

Deno.test("an early response to an unread body closes, and lingers so that it arrives", async () => {
  for (const request of [post(1_000_000) + "x".repeat(5000), CHUNKED_POST + "5\r\nhel"]) {
    const server = new ServerTest(() => responseOf("too large", 413));
    const text = await server.send(request);
    assertStringIncludes(text, "\r\nconnection: close\r\n");
    assertEquals(responsesIn(text), ["413 Content Too Large|too large"]);
    const { transport } = server;
    assertEquals([transport.isWriteClosed, transport.isClosed], [true, false]);
    assertEquals(await server.send("y".repeat(3000) + GET), "");
    assertEquals([server.incoming.length, transport.isClosed], [1, false]);
    await server.hangUp();
  }
});

Deno.test("lingering ends: by its time, by bytes, by the client", async () => {
  const early = async () => {
    const server = new ServerTest(() => responseOf("no", 413));
    await server.send(post(10_000_000));
    return server;
  };
  const silent = await early();
  await silent.sweep(0, 1_999);
  assertEquals(silent.isOver, false);
  await silent.sweep(2_000);
  assertEquals(silent.isOver, true);
  const dripping = await early();
  await dripping.sweep(0);
  for (let time = 250; time <= 2_000; time += 250) {
    dripping.transport.send("x");
    await dripping.sweep(time);
  }
  assertEquals(dripping.isOver, true);
  const flooding = await early();
  flooding.transport.send("x".repeat(1_000_000));
  await quiet(flooding.transport);
  assertEquals(flooding.isOver, true);
  assert(flooding.transport.bytesRead < 400_000, `${flooding.transport.bytesRead} bytes read`);
  const gone = await early();
  gone.transport.reset();
  await quiet(gone.transport);
  assertEquals(gone.isOver, true);
});

Deno.test("a body that nobody wanted and that is here already keeps the connection", async () => {
  const server = new ServerTest(() => responseOf("no", 404));
  const text = await server.send(post(5) + "hello" + CHUNKED_POST + "0\r\n\r\n" + GET);
  assertEquals(responsesIn(text), Array(3).fill("404 Not Found|no"));
  assert(!text.includes("connection: close"));
  await server.hangUp();
});

Deno.test("a body that nobody wanted and that makes no sense ends the connection behind the response", async () => {
  const server = new ServerTest(() => responseOf("no", 404));
  const text = await server.send(CHUNKED_POST + "bad\nchunk" + GET);
  assertEquals(responsesIn(text), ["404 Not Found|no"]);
  assertStringIncludes(text, "\r\nconnection: close\r\n");
  assertEquals([server.incoming.length, server.outcomes.length], [1, 1]);
  assertEquals(server.outcomes[0]!.error, undefined);
  await server.hangUp();
});

Deno.test("a request body is pulled no faster than its reader takes it", async () => {
  let body: Incoming["request"]["body"] = EMPTY_BODY;
  const server = new ServerTest((incoming) => {
    body = incoming.request.body;
    return untilCancelled(incoming);
  });
  server.transport.send(post(1_000_000));
  for (let i = 0; i < 100; i++) server.transport.send("x".repeat(10_000));
  await quiet(server.transport);
  assert(server.transport.bytesRead <= 8192, `${server.transport.bytesRead} bytes read`);
  let taken = 0;
  while (taken < 500_000) {
    const chunk = body.take();
    if (chunk) taken += chunk.length;
    else await body.pull();
  }
  await quiet(server.transport);
  const ahead = server.transport.bytesRead - taken;
  assert(ahead <= 66_000, `${ahead} bytes ahead`);
  server.connection.abort();
  await server.hangUp();
});

Deno.test("a response body is pulled no faster than the client reads it", async () => {
  const body = new PushBody();
  const server = new ServerTest(streaming(body));
  await server.send(GET);
  server.transport.stall();
  for (let i = 0; i < 100; i++) body.give("x".repeat(10_000));
  await quiet(server.transport);
  assert(body.taken <= 4, `${body.taken} pieces taken`);
  server.connection.abort();
  await quiet(server.transport);
});

Deno.test("the head of a request stays intact while its body streams, big or small", async () => {
  for (const [pieces, size] of [[30, 10_000], [12, 250]] as const) {
    const lines = Array.from({ length: 6 }, (_, i) => `X-${i}: ${String(i).repeat(100)}`);
    const length = pieces * size;
    let before: unknown, after: unknown;
    const server = new ServerTest(async ({ request }) => {
      before = [...request.headers];
      const text = await textOf(request.body);
      after = [...request.headers];
      return responseOf(String(text.length));
    });
    await server.send(head("POST / HTTP/1.1", "Host: a", `Content-Length: ${length}`, ...lines));
    for (let i = 1; i < pieces; i++) assertEquals(await server.send("y".repeat(size)), "");
    assertEquals(responsesIn(await server.send("y".repeat(size))), [`200 OK|${length}`]);
    assertEquals(after, before);
    await server.hangUp();
  }
});

Deno.test("a request that was read just as its connection was drained goes to nobody", async () => {
  const server = new ServerTest();
  await quiet(server.transport);
  server.transport.send(GET);
  server.connection.drain();
  await quiet(server.transport);
  assertEquals([server.isOver, server.transport.isClosed, server.targets], [true, true, []]);
});
