import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { type ChunkedCase, LIMITS } from "../../tests/support/http1_cases/case.ts";
import { CHUNKED_BODIES } from "../../tests/support/http1_cases/responses.ts";
import { outcomeOf } from "../../tests/support/head_reader.ts";
import { MemoryTransport } from "../../tests/support/memory_transport.ts";
import { cutBy, cuts } from "../../tests/support/parts.ts";
import { latin1, latin1Bytes } from "../lib/bytes.ts";
import { ChunkedDecoder } from "./chunked_decoder.ts";
import { Inbox } from "./inbox.ts";

type Side = "downstream" | "upstream";

/** Puts bytes behind what is unread, as a read would. */
function arrive(inbox: Inbox, part: Uint8Array): void {
  const unread = inbox.bytes.slice(inbox.start, inbox.end);
  inbox.bytes = new Uint8Array(unread.length + part.length + 2);
  inbox.bytes.set(unread, 1);
  inbox.bytes.set(part, 1 + unread.length);
  inbox.start = 1;
  inbox.end = 1 + unread.length + part.length;
}

function read(parts: readonly Uint8Array[], side: Side) {
  const inbox = new Inbox(new MemoryTransport(), () => {});
  const decoder = new ChunkedDecoder(side, LIMITS);
  let data = "";
  let isEnded = false;
  return outcomeOf(() => {
    for (const part of parts) {
      arrive(inbox, part);
      for (let chunk = decoder.take(inbox); !isEnded && chunk !== undefined;) {
        if (chunk === null) isEnded = true;
        else {
          assert(chunk.length > 0, "an empty run of data");
          data += latin1(chunk, 0, chunk.length);
          chunk = decoder.take(inbox);
        }
      }
    }
    const trailers = [...decoder.trailers ?? []].map(([name, value]) => `${name}: ${value}`);
    return { data, isEnded, trailers, rest: latin1(inbox.bytes, inbox.start, inbox.end) };
  });
}

function check(
  { accepted, refused, kind }: ChunkedCase,
  found: ReturnType<typeof read>,
  side: Side,
  name: string,
): void {
  if (refused !== undefined) {
    assert("error" in found, `${name}: was accepted: ${JSON.stringify(found)}`);
    const expected = side === "upstream" ? "upstream-protocol" : kind ?? "bad-request";
    assertEquals(found.error.slice(0, 2), [expected, side], `${name}: ${found.error[2]}`);
    assertStringIncludes(found.error[2], refused, name);
    return;
  }
  const expected = { data: "", isEnded: true, trailers: [], rest: "", ...accepted };
  const trailers = expected.trailers.map((line) => line.replace(/:(?! )/, ": "));
  assertEquals<unknown>(found, { value: { ...expected, trailers } }, name);
}

Deno.test("ChunkedDecoder gives every body its verdict however it is cut", () => {
  for (const body of CHUNKED_BODIES) {
    const bytes = latin1Bytes(body.bytes);
    // The long cases are about limits; every offset of them says nothing new.
    const all = [...cuts(bytes)].filter((_, index) => bytes.length < 200 || index % 97 < 2);
    for (const { name, parts } of all) {
      check(body, read(parts, "downstream"), "downstream", `${body.name}, ${name}`);
    }
  }
});

Deno.test("ChunkedDecoder blames an upstream for what an upstream sent", () => {
  for (const body of CHUNKED_BODIES) {
    check(body, read([latin1Bytes(body.bytes)], "upstream"), "upstream", body.name);
  }
});

Deno.test("ChunkedDecoder knows what is left of the chunk under way", () => {
  const inbox = new Inbox(new MemoryTransport(), () => {});
  const decoder = new ChunkedDecoder("downstream", LIMITS);
  arrive(inbox, latin1Bytes("10\r\nabc"));
  assertEquals(decoder.take(inbox)?.length, 3);
  assertEquals(decoder.expected, 13);
  assertEquals(decoder.take(inbox), undefined);
});

Deno.test("ChunkedDecoder's trailers keep bytes of their own", () => {
  const inbox = new Inbox(new MemoryTransport(), () => {});
  const decoder = new ChunkedDecoder("downstream", LIMITS);
  arrive(inbox, latin1Bytes("0\r\nx-sum: 12\r\n\r\n"));
  assertEquals(decoder.take(inbox), null);
  inbox.bytes.fill(0);
  assertEquals([...decoder.trailers ?? []], [["x-sum", "12"]]);
});

const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 6 });
const sizes = fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 60 });

function encode(data: readonly Uint8Array[]): string {
  const text = data.map((chunk) =>
    `${chunk.length.toString(16)}\r\n${latin1(chunk, 0, chunk.length)}\r\n`
  );
  return text.join("") + "0\r\n\r\n";
}

Deno.test("ChunkedDecoder gives back any data that was cut into chunks, at any cuts", () => {
  fc.assert(fc.property(chunks, sizes, (data, cut) => {
    const all = data.map((chunk) => latin1(chunk, 0, chunk.length)).join("");
    const found = read(cutBy(latin1Bytes(encode(data) + "next"), cut), "downstream");
    assertEquals(found, { value: { data: all, isEnded: true, trailers: [], rest: "next" } });
  }));
});

Deno.test("ChunkedDecoder gives the same verdict on any bytes at any cuts, and throws nothing but ProxyError", () => {
  const piece = fc.constantFrom(
    "5",
    "0",
    "a",
    ";",
    "\r\n",
    "\r\n\r\n",
    "hello",
    "\n",
    "x: y",
    "\0",
  );
  const text = fc.array(piece, { maxLength: 14 }).map((pieces) => latin1Bytes(pieces.join("")));
  const side = fc.constantFrom<Side>("downstream", "upstream");
  fc.assert(
    fc.property(
      fc.oneof(text, fc.uint8Array({ maxLength: 60 })),
      sizes,
      side,
      (bytes, cut, who) => {
        assertEquals(read(cutBy(bytes, cut), who), read([bytes], who));
      },
    ),
    { numRuns: 3000 },
  );
});
