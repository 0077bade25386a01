import { assertEquals, assertStrictEquals } from "@std/assert";
import { lenientPath, lenientPattern, PathPattern } from "./path_pattern.ts";

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

Deno.test("lenientPath takes away what some apps do not see in a path, and leaves plain paths alone", () => {
  const cases = [
    ["/admin/", "/admin"],
    ["/admin;jsessionid=1", "/admin"],
    ["/a;x/b;y=1;z/", "/a/b"],
    ["/a/;x/b", "/a/b"],
    ["/;x", "/"],
    ["/ADMIN", "/admin"],
    ["/%40me/%2C", "/@me/,"],
    ["/admin%3Bx", "/admin"],
    ["/caf%C3%A9/", "/caf\u00e3\u00a9"],
    ["/a%2561", "/a%61"],
    ["/", "/"],
  ] as const;
  for (const [path, lenient] of cases) assertEquals(lenientPath(path), lenient, path);
  for (const plain of ["/a/b", "/a.b/~c"]) assertStrictEquals(lenientPath(plain), plain);
});

Deno.test("lenientPattern takes every path, as lenient apps read it, that the pattern takes as it is", () => {
  const cases = [
    ["/Users/", ["/users", "/users/", "/USERS", "/%55sers;x"]],
    ["/@me/{Id}", ["/@me/1", "/%40me/A/", "/@ME/1;v=2"]],
    ["/%2C/*", ["/%2C", "/,/x", "/%2C/X/"]],
    ["/a/%2A", ["/a/%2A"]],
  ] as const;
  for (const [pattern, paths] of cases) {
    const lenient = new PathPattern(lenientPattern(pattern));
    const exact = new PathPattern(pattern);
    for (const path of paths) {
      const isTaken = exact.matches(path) || lenient.matches(lenientPath(path));
      assertEquals(isTaken, true, `${pattern} ${path}`);
    }
  }
  assertEquals(new PathPattern(lenientPattern("/a/%2A")).matches("/a/b"), false);
  assertEquals(new PathPattern(lenientPattern("/a/%7Bid%7D")).matches("/a/b"), false);
});
