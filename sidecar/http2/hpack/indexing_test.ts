import { assertEquals } from "@std/assert";
import { Field } from "../../http/field.ts";
import { type Indexing, indexingOf, traitsOf } from "./indexing.ts";

function indexing(name: string, value: string, isSensitive = false): Indexing {
  return indexingOf(new Field(name, value, isSensitive), traitsOf(new Field(name, value)));
}

Deno.test("secrets are never indexed: what a peer marked, credentials, cookies short enough to guess", () => {
  for (const name of ["x-any", ":path", "content-type", "traceparent", "cookie"]) {
    assertEquals(indexing(name, "x".repeat(20), true), "never", name);
  }
  for (const name of ["authorization", "proxy-authorization"]) {
    for (const value of ["", "Basic YQ==", "Bearer ".padEnd(300, "x")]) {
      assertEquals(indexing(name, value), "never");
    }
  }
  assertEquals(indexing("cookie", "x".repeat(19)), "never");
  assertEquals(indexing("cookie", "x".repeat(20)), "field");
});

Deno.test("what is of one message only is not indexed by value", () => {
  for (const name of ["traceparent", "x-request-id", "content-length", "age", "set-cookie"]) {
    assertEquals(indexing(name, "x"), "name", name);
  }
  assertEquals(indexing(":path", "/".padEnd(128, "x")), "field");
  assertEquals(indexing(":path", "/".padEnd(129, "x")), "name");
});

Deno.test("everything else is indexed", () => {
  for (
    const name of [":authority", "user-agent", "date", "etag", "x-user-id", "via", "x-unknown"]
  ) {
    assertEquals(indexing(name, "x"), "field", name);
  }
});

Deno.test("the traits of a name say where it stands first in the static table", () => {
  const names = [
    ":authority",
    ":method",
    ":path",
    ":status",
    "cookie",
    "via",
    "traceparent",
    "x-any",
  ];
  assertEquals(names.map((name) => traitsOf(new Field(name, "")).staticIndex), [
    1,
    2,
    4,
    8,
    32,
    60,
    0,
    0,
  ]);
});
