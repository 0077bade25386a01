import { assertEquals } from "@std/assert";
import { resolveReferences } from "./environment.ts";

const VALUES: Readonly<Record<string, string>> = {
  HOST: "10.0.0.5",
  PORT: "80",
  EMPTY: "",
  Q: '"}: {',
};

function resolve(text: string): string {
  const resolved = resolveReferences(text, (name) => VALUES[name]);
  return resolved.kind === "text" ? resolved.text : `problem: ${resolved.message}`;
}

Deno.test("resolveReferences replaces each reference and leaves other text alone", () => {
  assertEquals(resolve("plain"), "plain");
  assertEquals(resolve("${HOST}"), "10.0.0.5");
  assertEquals(resolve("http://${HOST}:${PORT}/x"), "http://10.0.0.5:80/x");
  assertEquals(resolve("$HOST $ {HOST} {HOST}"), "$HOST $ {HOST} {HOST}");
});

Deno.test("resolveReferences takes the default where a variable is unset or empty, as a shell does", () => {
  assertEquals(resolve("${NOPE:-v1}"), "v1");
  assertEquals(resolve("${EMPTY:-v1}"), "v1");
  assertEquals(resolve("${NOPE:-}"), "");
  assertEquals(resolve("${HOST:-v1}"), "10.0.0.5");
  assertEquals(resolve("${NOPE:-127.0.0.1:80}"), "127.0.0.1:80");
  assertEquals(resolve("${EMPTY}"), "");
});

Deno.test("resolveReferences keeps $${ as a literal ${", () => {
  assertEquals(resolve("$${HOST}"), "${HOST}");
  assertEquals(resolve("a$${b}${HOST}"), "a${b}10.0.0.5");
  assertEquals(resolve("$$"), "$$");
});

Deno.test("resolveReferences never looks into a value for more references", () => {
  const resolved = resolveReferences("${A}", (name) => name === "A" ? "${B}" : "secret");
  assertEquals(resolved, { kind: "text", text: "${B}", isReference: true });
});

Deno.test("resolveReferences names a missing variable and no value", () => {
  assertEquals(
    resolve("${HOST}/${NOPE}"),
    "problem: environment variable NOPE is not set, expected it or ${NOPE:-default}",
  );
});

Deno.test("resolveReferences reports every broken reference of a text", () => {
  const broken = "broken reference, expected ${NAME} or ${NAME:-default} ($${ for a literal ${)";
  for (const text of ["${}", "${", "${HOST", "${1A}", "${A B}", "${A:default}", "${A-b}"]) {
    assertEquals(resolve(text), `problem: ${broken}`, text);
  }
  assertEquals(resolve("${} ${}"), `problem: ${broken}; ${broken}`);
});
