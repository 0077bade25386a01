import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { normalizeTarget, pathOf } from "./path.ts";

Deno.test("normalizeTarget leaves a plain target as it is", () => {
  for (const target of ["/", "/a", "/a/b.c/~d", "/a?b=//../%2e", "/a/", "*", "/.well-known"]) {
    assertEquals(normalizeTarget(target), target);
  }
});

Deno.test("normalizeTarget gives one spelling to what means the same", () => {
  const spellings = {
    "/a//b": "/a/b",
    "//a///b/": "/a/b/",
    "/%61%2D%7e": "/a-~",
    "/%e2%82%ac": "/%E2%82%AC",
    "/a%3fb?c": "/a%3Fb?c",
    "/a%20b": "/a%20b",
    "/%2561": "/%2561",
    "/%252e%252e/": "/%252e%252e/",
    "//a?//b": "/a?//b",
  };
  for (const [target, expected] of Object.entries(spellings)) {
    assertEquals(normalizeTarget(target), expected, target);
  }
});

Deno.test("normalizeTarget refuses what climbs, and what hides a separator or an end", () => {
  const refused = [
    "/..",
    "/a/../b",
    "/./a",
    "/a/.",
    "/%2e%2E/a",
    "/a/%2e",
    "/.%2e/",
    "/a/..?b",
    "//../a",
    "/a/..;/b",
    "/a/..;x=y",
    "/.;/a",
    "/%2e%2e;/a",
    "/a%2fb",
    "/a%2Fb",
    "/a%5cb",
    "/a\\b",
    "/a%00",
    "/a%",
    "/a%4",
    "/a%zz",
    "/a%4g",
  ];
  for (const target of refused) assertEquals(normalizeTarget(target), null, target);
});

Deno.test("normalizeTarget knows a dot segment from a name with dots", () => {
  for (const target of ["/...", "/..a", "/a..", "/.a.", "/a.;b", "/..a;b"]) {
    assertEquals(normalizeTarget(target), target);
  }
});

Deno.test("normalizeTarget changes nothing the second time, and never leaves a way to climb", () => {
  const piece = fc.constantFrom(
    "/",
    ".",
    "..",
    "%2e",
    "%2F",
    "a",
    "?",
    "%61",
    ";",
    "\\",
    "%",
    "//",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
      const once = normalizeTarget("/" + pieces.join(""));
      if (once === null) return;
      assertEquals(normalizeTarget(once), once);
      const path = pathOf(once).replace(/%3B/g, ";");
      assert(!/(^|\/)\.{1,2}(\/|;|$)|\/\/|\\|%2[EF]/i.test(path), once);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("pathOf leaves the query out", () => {
  assertEquals([pathOf("/a?b?c"), pathOf("/a"), pathOf("?")], ["/a", "/a", ""]);
});
