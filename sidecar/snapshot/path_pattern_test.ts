import { assertEquals, assertStrictEquals } from "@std/assert";
import { lenientPath, PathPattern } from "./path_pattern.ts";

/** Of `paths` those that the pattern takes. */
function taken(pattern: string, paths: readonly string[]): string[] {
  const compiled = new PathPattern(pattern);
  return paths.filter((path) => compiled.matches(path));
}

const PATHS = [
  "/",
  "/users",
  "/users/",
  "/users/1",
  "/users/1/",
  "/users/1/orders",
  "/users/me",
  "/usersx",
  "/Users",
  "/user",
  "*",
  "",
  "users",
];

Deno.test("PathPattern takes an exact path and no other spelling of it", () => {
  assertEquals(taken("/users", PATHS), ["/users"]);
  assertEquals(taken("/users/", PATHS), ["/users/"]);
  assertEquals(taken("/", PATHS), ["/"]);
});

Deno.test("PathPattern takes with a prefix what is below it and the prefix itself, whole segments only", () => {
  const below = ["/users", "/users/", "/users/1", "/users/1/", "/users/1/orders", "/users/me"];
  assertEquals(taken("/users/*", PATHS), below);
});

Deno.test("PathPattern takes every path with /*, and no * for a path", () => {
  assertEquals(taken("/*", PATHS), PATHS.filter((path) => path.startsWith("/") || path === ""));
});

Deno.test("PathPattern takes for a parameter one segment that is not empty", () => {
  assertEquals(taken("/users/{id}", PATHS), ["/users/1", "/users/me"]);
  assertEquals(taken("/users/{id}/orders", PATHS), ["/users/1/orders"]);
  assertEquals(taken("/users/{id}/*", PATHS), [
    "/users/1",
    "/users/1/",
    "/users/1/orders",
    "/users/me",
  ]);
  assertEquals(taken("/{a}/{b}", PATHS), ["/users/1", "/users/me"]);
});

Deno.test("lenientPath cuts parameters of segments and the slash at the end, and leaves other paths alone", () => {
  const cases = [
    ["/admin/", "/admin"],
    ["/admin;jsessionid=1", "/admin"],
    ["/a;x/b;y=1;z/", "/a/b"],
    ["/a/;x/b", "/a/b"],
    ["/;x", "/"],
    ["/", "/"],
  ] as const;
  for (const [path, lenient] of cases) assertEquals(lenientPath(path), lenient, path);
  const plain = "/a/b";
  assertStrictEquals(lenientPath(plain), plain);
});
