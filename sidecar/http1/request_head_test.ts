import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { head, LIMITS, type RequestCase } from "../../tests/support/http1_cases/case.ts";
import { REQUESTS } from "../../tests/support/http1_cases/requests.ts";
import { outcomeOf, readHead, writtenLines } from "../../tests/support/head_reader.ts";
import { cuts } from "../../tests/support/parts.ts";
import { latin1Bytes } from "../lib/bytes.ts";
import { HeadParser } from "./head_parser.ts";
import { readRequestHead } from "./request_head.ts";

function read(parts: readonly Uint8Array[], limits = LIMITS) {
  const parser = new HeadParser("request", "downstream", limits);
  return outcomeOf(() => {
    if (readHead(parser, parts) === undefined) return "incomplete";
    const { expectsContinue: _, ...head } = readRequestHead(parser);
    return { ...head, lines: writtenLines(parser.fields) };
  });
}

function check({ accepted, refused }: RequestCase, found: ReturnType<typeof read>, name: string) {
  if (refused !== undefined) {
    assert("error" in found, `${name}: was accepted: ${JSON.stringify(found)}`);
    const [kind, side, message] = found.error;
    assertEquals([kind, side], [refused.kind, "downstream"], `${name}: ${message}`);
    assertStringIncludes(message, refused.message, name);
    return;
  }
  assert("value" in found, `${name}: was refused: ${JSON.stringify(found)}`);
  assert(found.value !== "incomplete", `${name}: more is needed`);
  const { lines, ...result } = found.value;
  const { fields, ...expected } = accepted ?? {};
  assertEquals<unknown>(result, {
    method: "GET",
    form: "origin",
    authority: "a",
    target: "/",
    version: "1.1",
    framing: { kind: "none" },
    keepAlive: true,
    upgrade: undefined,
    acceptsTrailers: false,
    ...expected,
  }, name);
  if (fields !== undefined) assertEquals(lines, [...fields], name);
}

Deno.test("readRequestHead gives every request its verdict however it is cut", () => {
  for (const request of REQUESTS) {
    for (const cut of cuts(latin1Bytes(request.bytes))) {
      check(request, read(cut.parts), `${request.name}, ${cut.name}`);
    }
  }
});

Deno.test("the corpus of requests says of each case either what is accepted or why it is refused", () => {
  for (const { name, accepted, refused } of REQUESTS) {
    assert((accepted === undefined) !== (refused === undefined), name);
  }
  assertEquals(new Set(REQUESTS.map(({ name }) => name)).size, REQUESTS.length);
});

Deno.test("readRequestHead says that a client waits for 100 Continue", () => {
  const expects = (...lines: string[]) => {
    const parser = new HeadParser("request", "downstream", LIMITS);
    readHead(parser, [latin1Bytes(head(...lines))]);
    return readRequestHead(parser).expectsContinue;
  };
  assertEquals(expects("PUT / HTTP/1.1", "Host: a", "Expect: 100-continue"), true);
  assertEquals(expects("PUT / HTTP/1.1", "Host: a", "Expect: other"), false);
  assertEquals(expects("PUT / HTTP/1.0", "Expect: 100-continue"), false);
});

Deno.test("a request that is refused stays refused with any harmless field before the bad one", () => {
  const limits = { headBytes: 4096, headers: 50, requestLineBytes: 64 };
  const framings = REQUESTS.filter(({ refused }) =>
    /-(Length|Encoding)/.test(refused?.message ?? "")
  );
  assert(framings.length > 30);
  const lines = fc.array(fc.constantFrom("A: b", "Accept: */*", "Te:", "x-content-length: 7"), {
    maxLength: 4,
  });
  fc.assert(fc.property(fc.constantFrom(...framings), lines, ({ bytes, refused, name }, more) => {
    const at = bytes.indexOf("\r\n", 1) + 2;
    const longer = bytes.slice(0, at) + more.map((line) => line + "\r\n").join("") +
      bytes.slice(at);
    const found = read([latin1Bytes(longer)], limits);
    assert("error" in found, `${name}: ${JSON.stringify(longer)}`);
    assertEquals(found.error[0], refused?.kind);
  }));
});
