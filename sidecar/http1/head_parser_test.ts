import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { head, LIMITS } from "../../tests/support/http1_cases/case.ts";
import { REQUESTS } from "../../tests/support/http1_cases/requests.ts";
import { RESPONSES } from "../../tests/support/http1_cases/responses.ts";
import { outcomeOf, readHead } from "../../tests/support/head_reader.ts";
import { cutBy, cuts } from "../../tests/support/parts.ts";
import { ProxyError } from "../errors.ts";
import { latin1Bytes } from "../lib/bytes.ts";
import { HeadParser } from "./head_parser.ts";

const GET = head("GET /p HTTP/1.1", "Host: a", "X: y");

function parse(kind: "request" | "response" | "trailers", parts: readonly Uint8Array[]) {
  const parser = new HeadParser(kind, kind === "response" ? "upstream" : "downstream", LIMITS);
  return outcomeOf(() => {
    const rest = readHead(parser, parts);
    return rest === undefined ? undefined : { fields: [...parser.fields], rest };
  });
}

Deno.test("HeadParser gives the same verdict on every request however it is cut", () => {
  for (const { name, bytes } of REQUESTS) {
    const whole = parse("request", [latin1Bytes(bytes)]);
    for (const cut of cuts(latin1Bytes(bytes))) {
      assertEquals(parse("request", cut.parts), whole, `${name}, ${cut.name}`);
    }
  }
});

Deno.test("HeadParser gives the same verdict on every response however it is cut", () => {
  for (const { name, bytes } of RESPONSES) {
    const whole = parse("response", [latin1Bytes(bytes)]);
    for (const cut of cuts(latin1Bytes(bytes))) {
      assertEquals(parse("response", cut.parts), whole, `${name}, ${cut.name}`);
    }
  }
});

Deno.test("HeadParser needs every byte of a head and not one more", () => {
  for (let length = 1; length < GET.length; length++) {
    assertEquals(parse("request", [latin1Bytes(GET.slice(0, length))]), { value: undefined });
  }
  const behind = parse("request", [latin1Bytes(GET + "\0\n behind")]);
  assertEquals(behind, { value: { fields: [["Host", "a"], ["X", "y"]], rest: "\0\n behind" } });
});

Deno.test("HeadParser reads one head after another", () => {
  const parser = new HeadParser("request", "downstream", LIMITS);
  const bytes = latin1Bytes("\r\n" + GET + head("PUT /q HTTP/1.0"));
  assert(parser.parse(bytes, 0, bytes.length));
  assertEquals([...parser.fields].length, 2);
  const next = parser.position;
  parser.reset();
  assertEquals(parser.position, 0);
  assert(parser.parse(bytes, next, bytes.length));
  assertEquals([parser.position, parser.lineStart, [...parser.fields]], [19, 0, []]);
});

Deno.test("HeadParser forgets half a head", () => {
  const parser = new HeadParser("request", "downstream", LIMITS);
  const half = latin1Bytes("\r\nPOST /x HTTP/1.1\r\nA: b\r\nC");
  assert(!parser.parse(half, 0, half.length));
  parser.reset();
  assertEquals(readHead(parser, [latin1Bytes(GET)]), "");
  assertEquals([...parser.fields], [["Host", "a"], ["X", "y"]]);
});

Deno.test("HeadParser keeps the offsets of the start line", () => {
  const parser = new HeadParser("request", "downstream", LIMITS);
  readHead(parser, [latin1Bytes("\r\n" + GET)]);
  const { lineStart, firstSpace, secondSpace, lineEnd } = parser;
  assertEquals([lineStart, firstSpace, secondSpace, lineEnd], [2, 5, 8, 17]);
});

Deno.test("HeadParser reads trailers, which have no start line", () => {
  assertEquals(parse("trailers", [latin1Bytes("\r\nx")]), { value: { fields: [], rest: "x" } });
  const trailers = latin1Bytes("A: b\r\nc:d\r\n\r\nx");
  for (const cut of cuts(trailers)) {
    const expected = { value: { fields: [["A", "b"], ["c", "d"]], rest: "x" } };
    assertEquals<unknown>(parse("trailers", cut.parts), expected, cut.name);
  }
});

Deno.test("HeadParser blames the side that sent the bytes", () => {
  const blame = (kind: "request" | "response" | "trailers", side: "downstream" | "upstream") => {
    const parser = new HeadParser(kind, side, LIMITS);
    const error = assertThrows(() => readHead(parser, [latin1Bytes("\0")]), ProxyError);
    return [error.kind, error.side];
  };
  assertEquals(blame("request", "downstream"), ["bad-request", "downstream"]);
  assertEquals(blame("trailers", "downstream"), ["bad-request", "downstream"]);
  assertEquals(blame("response", "upstream"), ["upstream-protocol", "upstream"]);
  assertEquals(blame("trailers", "upstream"), ["upstream-protocol", "upstream"]);
});

Deno.test("HeadParser takes a hundred fields and more where the limits allow it", () => {
  const limits = { headBytes: 65536, headers: 100, requestLineBytes: 16384 };
  const fields = Array.from({ length: 100 }, (_, i) => `x-${i}: ${i}`);
  const parser = new HeadParser("request", "downstream", limits);
  assertEquals(readHead(parser, [latin1Bytes(head("GET / HTTP/1.1", ...fields))]), "");
  assertEquals([...parser.fields].map(([name, value]) => `${name}: ${value}`), fields);
  parser.reset();
  const more = latin1Bytes(head("GET / HTTP/1.1", ...fields, "one: more"));
  assertThrows(() => readHead(parser, [more]), ProxyError, "more than 100 fields");
});

Deno.test("HeadParser refuses as soon as nothing that may come can make it a head", () => {
  const line = `GET /${"x".repeat(60)}`;
  const fields = "GET / HTTP/1.1\r\nX: " + "y".repeat(600);
  for (
    const [text, limit, kind] of [[line, 65, "uri-too-long"], [
      fields,
      512,
      "headers-too-large",
    ]] as const
  ) {
    const found = parse("request", [latin1Bytes(text.slice(0, limit))]);
    assert("error" in found, `${limit} bytes were not enough`);
    assertEquals(found.error[0], kind);
    assertEquals(parse("request", [latin1Bytes(text.slice(0, limit - 1))]), { value: undefined });
  }
});

/** Bytes that look enough like heads to get somewhere. */
const headish = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.constantFrom(..."GET / HTTP/1.1|\r\n|Host: a|\r\n|X:y|\r\n\r\n".split("|")),
    },
    {
      weight: 2,
      arbitrary: fc.constantFrom("\r", "\n", " ", "\t", ":", "\0", "a", "\xff", "HTTP/1.1 200 OK"),
    },
    { weight: 1, arbitrary: fc.string({ unit: "binary-ascii", maxLength: 20 }) },
  ),
  { maxLength: 12 },
).map((pieces) => latin1Bytes(pieces.join("")));

Deno.test("HeadParser gives the same verdict on any bytes at any cuts, and throws nothing but ProxyError", () => {
  const kinds = fc.constantFrom("request" as const, "response" as const, "trailers" as const);
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 40 });
  const bytes = fc.oneof(headish, fc.uint8Array({ maxLength: 700 }));
  fc.assert(
    fc.property(kinds, bytes, sizes, (kind, input, cut) => {
      assertEquals(parse(kind, cutBy(input, cut)), parse(kind, [input]));
    }),
    { numRuns: 3000 },
  );
});
