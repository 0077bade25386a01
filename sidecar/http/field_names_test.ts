import { assert, assertEquals } from "@std/assert";
import { latin1Bytes } from "../lib/bytes.ts";
import { fieldId, fieldIdAt, fold, isHopByHop, knownId, nameEquals } from "./field_names.ts";

const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];
const END_TO_END = ["host", "content-length", "cookie", "via", "x-user-id", "server", "date"];

function idOf(name: string): number {
  const bytes = latin1Bytes(`..${name}..`);
  return fieldIdAt(bytes, 2, 2 + name.length);
}

Deno.test("a name has one id, as text and as bytes, in any case", () => {
  const ids = new Set<number>();
  for (const name of [...HOP_BY_HOP, ...END_TO_END]) {
    const id = fieldId(name);
    assert(id > 0, name);
    ids.add(id);
    const capitals = name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
    for (const spelled of [name, name.toUpperCase(), capitals]) {
      assertEquals(idOf(spelled), id, spelled);
    }
  }
  assertEquals(ids.size, HOP_BY_HOP.length + END_TO_END.length);
  assertEquals(knownId("host"), fieldId("host"));
});

Deno.test("what is no known name has no id, however near it comes", () => {
  for (const name of [...HOP_BY_HOP, ...END_TO_END]) {
    const near = [name + "x", name.slice(0, -1), "x" + name.slice(1), name.slice(0, -1) + "_"];
    // A byte that differs from a letter in the bit of its case alone is another byte.
    near.push(
      name.replaceAll("-", "\r"),
      name.slice(0, -1) + String.fromCharCode(name.charCodeAt(name.length - 1) ^ 0x80),
    );
    for (const other of near.filter((other) => other !== name)) {
      assertEquals([idOf(other), fieldId(other)], [0, 0], JSON.stringify(other));
    }
  }
  assertEquals([idOf(""), fieldId(""), fieldId("Host")], [0, 0, 0]);
});

Deno.test("the hop-by-hop names are those of RFC 9110 7.6.1 and the old ones", () => {
  for (const name of HOP_BY_HOP) assert(isHopByHop(fieldId(name)), name);
  for (const name of END_TO_END) assert(!isHopByHop(fieldId(name)), name);
  assert(!isHopByHop(fieldId("x-unknown")));
});

Deno.test("fold lowers letters and nothing else", () => {
  for (let byte = 0; byte < 256; byte++) {
    const letter = String.fromCharCode(byte);
    const expected = /[A-Z]/.test(letter) ? letter.toLowerCase() : letter;
    assertEquals(fold(byte), expected.charCodeAt(0));
  }
});

Deno.test("nameEquals compares a run of bytes with a name in lower case", () => {
  const bytes = latin1Bytes("..X-Name..");
  assert(nameEquals(bytes, 2, 8, "x-name"));
  assert(!nameEquals(bytes, 2, 7, "x-name"));
  assert(!nameEquals(bytes, 2, 8, "x-nam\xe9"));
  assert(nameEquals(bytes, 2, 2, ""));
});
