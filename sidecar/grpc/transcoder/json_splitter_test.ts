import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ProxyError } from "../../errors.ts";
import { utf8Bytes } from "../../lib/bytes.ts";
import { cut, cutAt } from "../test_messages.ts";
import { JsonSplitter } from "./json_splitter.ts";

const decoder = new TextDecoder();

function split(pieces: readonly Uint8Array[], mode: "lines" | "detect" = "detect", max = 100) {
  const splitter = new JsonSplitter(mode, max);
  const values: string[] = [];
  for (const piece of pieces) {
    splitter.feed(piece);
    for (let next = splitter.next(); next !== undefined; next = splitter.next()) {
      values.push(decoder.decode(next).trim());
    }
  }
  const last = splitter.end();
  return last === undefined ? values : [...values, decoder.decode(last).trim()];
}

function splitText(text: string, mode: "lines" | "detect" = "detect", max = 100): string[] {
  const bytes = utf8Bytes(text);
  const whole = split([bytes], mode, max);
  assertEquals(split(cut(bytes, 1), mode, max), whole);
  for (let at = 1; at < bytes.length; at++) assertEquals(split(cutAt(bytes, at), mode, max), whole);
  return whole;
}

Deno.test("lines are values, with or without a line end behind the last, blank lines left out", () => {
  assertEquals(splitText('{"a":1}\n{"b":2}\n'), ['{"a":1}', '{"b":2}']);
  assertEquals(splitText('\n {"a":"x\\n"}\r\n\n{"b":2}'), ['{"a":"x\\n"}', '{"b":2}']);
  assertEquals(splitText('{"a":\n1}\n{"b":2}'), ['{"a":\n1}', '{"b":2}']);
  assertEquals(splitText(""), []);
  assertEquals(splitText(" \n "), []);
});

Deno.test("the items of one array are values", () => {
  assertEquals(splitText(' [{"a":[1,2]},\n{"b":"],{"} , 3]\n '), [
    '{"a":[1,2]}',
    '{"b":"],{"}',
    "3",
  ]);
  assertEquals(splitText("[]"), []);
  assertEquals(splitText("[ ]"), []);
  assertEquals(splitText('["a\\"]", "ü"]'), ['"a\\"]"', '"ü"']);
});

Deno.test("a bracket opens a value where the media type says lines", () => {
  assertEquals(splitText("[1,2]\n[3]", "lines"), ["[1,2]", "[3]"]);
});

Deno.test("arrays that are cut, or have holes or a tail, are refused", () => {
  for (
    const text of [
      "[",
      "[1",
      "[1,",
      '["a',
      "[,1]",
      "[1,]",
      "[1,,2]",
      "[1]2\n",
      "[1],\n",
      '[{"a":1}',
    ]
  ) {
    const error = assertThrows(() => split([utf8Bytes(`${text}`)]), ProxyError);
    assertEquals(error.kind, "bad-request", text);
  }
});

Deno.test("a value is refused as soon as it is too long", () => {
  assertEquals(splitText(`"${"x".repeat(8)}"\n1`, "detect", 10).length, 2);
  for (const text of [`"${"x".repeat(10)}`, `[1,"${"x".repeat(10)}`, "{".repeat(11)]) {
    const error = assertThrows(() => split(cut(utf8Bytes(text), 3), "detect", 10), ProxyError);
    assertEquals(error.kind, "payload-too-large", text);
  }
});

Deno.test("any JSON values come out of lines and arrays as they went in", () => {
  const values = fc.array(fc.json(), { maxLength: 5 });
  fc.assert(fc.property(values, fc.integer({ min: 1, max: 20 }), (sent, size) => {
    const trimmed = sent.map((json) => json.trim());
    assertEquals(split(cut(utf8Bytes(sent.join("\n")), size), "lines", 1e6), trimmed);
    assertEquals(split(cut(utf8Bytes(`[${sent.join(",")}]`), size), "detect", 1e6), trimmed);
  }));
});

Deno.test("any bytes are split, or refused as ProxyError", () => {
  const text = fc.string({ unit: fc.constantFrom(...'[]{},"\\ \n1a') });
  fc.assert(fc.property(text, fc.integer({ min: 1, max: 5 }), (input, size) => {
    try {
      split(cut(utf8Bytes(input), size));
    } catch (error) {
      assertEquals(error instanceof ProxyError, true);
    }
  }));
});
