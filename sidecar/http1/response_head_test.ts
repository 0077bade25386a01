import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { LIMITS, type ResponseCase } from "../../tests/support/http1_cases/case.ts";
import { RESPONSES } from "../../tests/support/http1_cases/responses.ts";
import { outcomeOf, readHead, writtenLines } from "../../tests/support/head_reader.ts";
import { cuts } from "../../tests/support/parts.ts";
import { latin1Bytes } from "../lib/bytes.ts";
import { HeadParser } from "./head_parser.ts";
import { readResponseHead } from "./response_head.ts";

function read(parts: readonly Uint8Array[], method: string) {
  const parser = new HeadParser("response", "upstream", LIMITS);
  return outcomeOf(() => {
    if (readHead(parser, parts) === undefined) return "incomplete";
    return { ...readResponseHead(parser, method), lines: writtenLines(parser.fields) };
  });
}

function check({ accepted, refused }: ResponseCase, found: ReturnType<typeof read>, name: string) {
  if (refused !== undefined) {
    assert("error" in found, `${name}: was accepted: ${JSON.stringify(found)}`);
    const [kind, side, message] = found.error;
    assertEquals([kind, side], ["upstream-protocol", "upstream"], `${name}: ${message}`);
    assertStringIncludes(message, refused, name);
    return;
  }
  assert("value" in found, `${name}: was refused: ${JSON.stringify(found)}`);
  assert(found.value !== "incomplete", `${name}: more is needed`);
  const { lines, ...result } = found.value;
  const { fields, framing, ...expected } = accepted ?? {};
  assertEquals(result.framing, framing ?? { kind: "close" }, name);
  const keepAlive = result.framing.kind !== "close";
  assertEquals(result, {
    status: 200,
    framing: result.framing,
    keepAlive,
    upgrade: undefined,
    ...expected,
  }, name);
  if (fields !== undefined) assertEquals(lines, [...fields], name);
}

Deno.test("readResponseHead gives every response its verdict however it is cut", () => {
  for (const response of RESPONSES) {
    for (const cut of cuts(latin1Bytes(response.bytes))) {
      const found = read(cut.parts, response.method ?? "GET");
      check(response, found, `${response.name}, ${cut.name}`);
    }
  }
});

Deno.test("the corpus of responses says of each case either what is accepted or why it is refused", () => {
  for (const { name, accepted, refused } of RESPONSES) {
    assert((accepted === undefined) !== (refused === undefined), name);
  }
  assertEquals(new Set(RESPONSES.map(({ name }) => name)).size, RESPONSES.length);
});
