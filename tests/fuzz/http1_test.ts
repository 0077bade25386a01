// Whole HTTP/1.1 connections under bytes that nobody chose: no error of their own, no hang, and no request or response
// that a strict reader would not have seen.
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { latin1Bytes } from "../../sidecar/lib/bytes.ts";
import { ClientTest } from "../support/http1_client.ts";
import { head } from "../support/http1_cases/case.ts";
import { REQUESTS } from "../support/http1_cases/requests.ts";
import { CHUNKED_BODIES, RESPONSES } from "../support/http1_cases/responses.ts";
import { ServerTest } from "../support/http1_server.ts";
import { quiet } from "../support/memory_transport.ts";
import { requestOf, responseOf, textOf } from "../support/messages.ts";
import { cutBy } from "../support/parts.ts";
import { parseResponse } from "../support/raw_client.ts";

const RUNS = 600;

/** Pieces of messages, whole and broken, and what may stand between them. */
function pieces(whole: readonly string[]): fc.Arbitrary<string> {
  const broken = fc.tuple(fc.constantFrom(...whole), fc.nat(), fc.nat()).map(([text, at, byte]) => {
    const i = at % text.length;
    return text.slice(0, i) + String.fromCharCode(byte % 256) + text.slice(i + 1);
  });
  const small = fc.constantFrom(
    "\r\n",
    "\r",
    "\n",
    "0\r\n\r\n",
    "5\r\nhello\r\n",
    "hello",
    " ",
    "\0",
  );
  const any = fc.uint8Array({ maxLength: 30 }).map((bytes) => String.fromCharCode(...bytes));
  return fc.array(
    fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(...whole) },
      { weight: 3, arbitrary: broken },
      { weight: 1, arbitrary: small },
      { weight: 1, arbitrary: any },
    ),
    { maxLength: 6 },
  ).map((parts) => parts.join(""));
}

const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 20 });

const CHUNKED_POST = head("POST /c HTTP/1.1", "Host: a", "Transfer-Encoding: chunked");
const REQUEST_PIECES = [
  head("GET / HTTP/1.1", "Host: a"),
  head("HEAD / HTTP/1.1", "Host: a"),
  head("POST /l HTTP/1.1", "Host: a", "Content-Length: 5") + "hello",
  CHUNKED_POST,
  CHUNKED_POST + "5\r\nhello\r\n0\r\nx: y\r\n\r\n",
  ...REQUESTS.filter(({ bytes }) => bytes.length < 200).map(({ bytes }) => bytes),
  ...CHUNKED_BODIES.filter(({ bytes }) => bytes.length < 100).map(({ bytes }) =>
    CHUNKED_POST + bytes
  ),
];

/** What a client saw and what a handler saw, for requests that come in these parts and then end. */
async function serve(parts: readonly Uint8Array[]): Promise<readonly [string, readonly string[]]> {
  const seen: string[] = [];
  const server = new ServerTest(async ({ request }) => {
    // What comes behind a switch comes when it was granted, and this handler grants none.
    const isAsked = request.upgrade !== undefined;
    const text = isAsked ? "" : await textOf(request.body).catch(() => "broken");
    seen.push(`${request.method} ${request.target} ${text}`);
    return responseOf("ok");
  });
  let received = "";
  for (const part of parts) {
    server.transport.send(part);
    received += await server.answer();
  }
  server.transport.end();
  received += await server.answer();
  assert(server.isOver, "the connection hangs");
  assertEquals(server.outcomes.length, server.incoming.length);
  assert(!server.refusals.some((message) => message.includes("own code")), `${server.refusals}`);
  return [received, seen];
}

Deno.test("a server connection answers any bytes with whole responses and then ends", async () => {
  await fc.assert(
    fc.asyncProperty(pieces(REQUEST_PIECES), sizes, async (text, cut) => {
      const [received, seen] = await serve(cutBy(latin1Bytes(text), cut));
      let rest = received;
      for (const line of seen) {
        if (rest === "") break; // the client was gone by then
        const response = parseResponse(rest, line.split(" ")[0]!, true);
        assert(response !== undefined, rest);
        rest = rest.slice(response.length);
      }
      // At most one more, which refuses.
      const refusal = rest === "" ? undefined : parseResponse(rest, "GET", true);
      assertEquals(refusal?.length ?? 0, rest.length, rest);
    }),
    { numRuns: RUNS },
  );
});

Deno.test("a server connection sees the same requests however they are cut", async () => {
  await fc.assert(
    fc.asyncProperty(pieces(REQUEST_PIECES), sizes, async (text, cut) => {
      const [, whole] = await serve([latin1Bytes(text)]);
      const [, parts] = await serve(cutBy(latin1Bytes(text), cut));
      assertEquals(parts, whole);
    }),
    { numRuns: RUNS },
  );
});

const CHUNKED = head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked");
const RESPONSE_PIECES = [
  head("HTTP/1.1 200 OK", "Content-Length: 5") + "hello",
  CHUNKED + "5\r\nhello\r\n0\r\n\r\n",
  head("HTTP/1.1 100 Continue"),
  head("HTTP/1.1 204 No Content"),
  ...RESPONSES.filter(({ bytes }) => bytes.length < 200).map(({ bytes }) => bytes),
  ...CHUNKED_BODIES.filter(({ bytes }) => bytes.length < 100).map(({ bytes }) => CHUNKED + bytes),
];

Deno.test("a client connection takes any bytes for one response or for none, and gives nobody the rest", async () => {
  const method = fc.constantFrom("GET", "HEAD", "POST");
  await fc.assert(
    fc.asyncProperty(pieces(RESPONSE_PIECES), sizes, method, async (text, cut, method) => {
      const client = new ClientTest();
      const sent = await client.begin({ ...requestOf(), method });
      for (const part of cutBy(latin1Bytes(text), cut)) {
        if (client.connection.isUsable) break;
        client.transport.send(part);
        await quiet(client.transport);
      }
      const isUsable = client.connection.isUsable;
      await client.end();
      assertEquals(client.closes, 1);
      assertEquals([sent.text, sent.error].filter((end) => end !== undefined).length, 1);
      assertEquals(sent.error?.name ?? "ProxyError", "ProxyError");
      assert(sent.error?.kind !== "internal", sent.error?.message);
      if (isUsable) assertEquals(sent.error, undefined);
    }),
    { numRuns: RUNS },
  );
});
