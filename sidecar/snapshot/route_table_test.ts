import { assert, assertEquals, assertLess } from "@std/assert";
import { type FakeRoute, fakeRoute } from "../../tests/support/fake_snapshot.ts";
import { type RouteInput, RouteTable } from "./route_table.ts";
import type { Route } from "./snapshot.ts";

type Spec = readonly [path: string, about?: FakeRoute];

/** Routes whose `to` is their own path, unless it says otherwise. */
function table(...specs: Spec[]): RouteTable<Route> {
  return new RouteTable(specs.map(([path, about]) => fakeRoute(path, { to: path, ...about })));
}

function input(
  path: string,
  about: Partial<RouteInput> & { headers?: Record<string, string> } = {},
) {
  const { headers = {}, ...more } = about;
  return {
    host: "any.example",
    path,
    method: "GET",
    header: (name: string) => headers[name],
    ...more,
  };
}

/** Where the request goes, or why nowhere. */
function goes(
  routes: RouteTable<Route>,
  path: string,
  about: Parameters<typeof input>[1] = {},
): string {
  const match = routes.match(input(path, about));
  return match.kind === "matched" ? match.rule.to : match.kind;
}

/** The path that the service sees. */
function rewritten(spec: Spec, path: string): string {
  const match = table(spec).match(input(path));
  return match.kind === "matched" ? match.path : match.kind;
}

Deno.test("RouteTable matches an exact path and nothing longer, shorter or otherwise spelled", () => {
  const routes = table(["/users/me"]);
  assertEquals(goes(routes, "/users/me"), "/users/me");
  for (const path of ["/users", "/users/me/", "/users/me/x", "/users/Me", "/users//me", "/", "*"]) {
    assertEquals(goes(routes, path), "none", path);
  }
});

Deno.test("RouteTable takes /x/* for /x, for /x/ and for everything below, but not for /xy", () => {
  const routes = table(["/x/*"]);
  for (const path of ["/x", "/x/", "/x/y", "/x/y/z", "/x//"]) {
    assertEquals(goes(routes, path), "/x/*", path);
  }
  for (const path of ["/xy", "/", "/y/x", "/X"]) assertEquals(goes(routes, path), "none", path);
});

Deno.test("RouteTable takes /* for every path and / for the root alone", () => {
  const routes = table(["/*"], ["/"]);
  assertEquals(goes(routes, "/"), "/");
  for (const path of ["/x", "/x/y", "//", "*"]) assertEquals(goes(routes, path), "/*", path);
});

Deno.test("RouteTable prefers a literal segment to a parameter to *, whatever the order in the document", () => {
  const specs: Spec[] = [["/users/*"], ["/users/{id}"], ["/users/me"], ["/*"], [
    "/users/{id}/orders",
  ]];
  for (const order of [specs, specs.toReversed()]) {
    const routes = table(...order);
    assertEquals(goes(routes, "/users/me"), "/users/me");
    assertEquals(goes(routes, "/users/7"), "/users/{id}");
    assertEquals(goes(routes, "/users/7/orders"), "/users/{id}/orders");
    assertEquals(goes(routes, "/users/7/other"), "/users/*");
    assertEquals(goes(routes, "/users/me/orders"), "/users/{id}/orders");
    assertEquals(goes(routes, "/users"), "/users/*");
    assertEquals(goes(routes, "/other"), "/*");
  }
});

Deno.test("RouteTable takes a parameter for one whole segment that is not empty", () => {
  const routes = table(["/users/{id}"]);
  assertEquals(goes(routes, "/users/a%20b"), "/users/{id}");
  for (const path of ["/users/", "/users", "/users/a/b"]) {
    assertEquals(goes(routes, path), "none", path);
  }
});

Deno.test("RouteTable prefers the longest prefix, and goes back where a branch leads nowhere", () => {
  const routes = table(["/a/*"], ["/a/b/*"], ["/a/b/c/d"], ["/{x}/b/c/e"]);
  assertEquals(goes(routes, "/a/b/c"), "/a/b/*");
  assertEquals(goes(routes, "/a/b/c/d"), "/a/b/c/d");
  assertEquals(goes(routes, "/a/c"), "/a/*");
  assertEquals(goes(routes, "/a/b/c/e"), "/a/b/*", "a literal segment beats a parameter before it");
  assertEquals(goes(routes, "/z/b/c/e"), "/{x}/b/c/e");
});

Deno.test("RouteTable prefers an exact host to a wildcard host to any", () => {
  const routes = table(
    ["/x", { to: "any" }],
    ["/x", { to: "wild", host: "*.example.com" }],
    ["/x", { to: "deeper", host: "*.api.example.com" }],
    ["/x", { to: "exact", host: "api.example.com" }],
    ["/only-any", { to: "any" }],
  );
  const wanted = {
    "api.example.com": "exact",
    "www.example.com": "wild",
    "v1.api.example.com": "deeper",
    "a.b.example.com": "wild",
    "example.com": "any",
    ".example.com": "any",
    "badexample.com": "any",
    "example.com.evil": "any",
    "": "any",
  };
  for (const [host, to] of Object.entries(wanted)) {
    assertEquals(goes(routes, "/x", { host }), to, host);
  }
  assertEquals(goes(routes, "/only-any", { host: "api.example.com" }), "any");
});

Deno.test("RouteTable compares the host of a rule in lower case", () => {
  assertEquals(
    goes(table(["/x", { host: "API.Example.com" }]), "/x", { host: "api.example.com" }),
    "/x",
  );
});

Deno.test("RouteTable asks for every header of a rule, * being any value", () => {
  const routes = table(
    ["/x", { to: "plain" }],
    ["/x", { to: "beta", headers: { "x-beta": "1" } }],
    ["/x", { to: "both", headers: { "x-beta": "1", "x-who": "*" } }],
  );
  assertEquals(goes(routes, "/x"), "plain");
  assertEquals(goes(routes, "/x", { headers: { "x-beta": "1" } }), "beta");
  assertEquals(goes(routes, "/x", { headers: { "x-beta": "2" } }), "plain");
  assertEquals(goes(routes, "/x", { headers: { "x-beta": "1", "x-who": "" } }), "both");
  const only = table(["/x", { headers: { "x-beta": "1" } }]);
  assertEquals(goes(only, "/x"), "none", "without its header a rule is not there");
});

Deno.test("RouteTable prefers a rule with methods to one without, then the first in the document", () => {
  const routes = table(
    ["/x", { to: "any" }],
    ["/x", { to: "second" }],
    ["/x", { to: "post", methods: ["POST", "PUT"] }],
  );
  assertEquals(goes(routes, "/x", { method: "POST" }), "post");
  assertEquals(goes(routes, "/x"), "any");
});

Deno.test("RouteTable names the methods of every rule that lacked only that, in order and once", () => {
  const routes = table(
    ["/x", { methods: ["PUT", "GET"] }],
    ["/{any}", { methods: ["GET", "DELETE"] }],
    ["/x", { methods: ["PATCH"], headers: { "x-beta": "1" } }],
    ["/x", { methods: ["TRACE"], host: "other.example" }],
    ["/y", { methods: ["OPTIONS"] }],
  );
  assertEquals(routes.match(input("/x", { method: "POST" })), {
    kind: "method-not-allowed",
    allow: ["DELETE", "GET", "PUT"],
  });
  assertEquals(routes.match(input("/z/z", { method: "POST" })), { kind: "none" });
});

Deno.test("RouteTable goes on to a less specific rule that takes the method", () => {
  const routes = table(["/x/me", { methods: ["GET"] }], ["/x/*"], ["/x/me", {
    to: "host",
    host: "a.b",
    methods: ["PUT"],
  }]);
  assertEquals(goes(routes, "/x/me", { method: "POST" }), "/x/*");
  assertEquals(goes(routes, "/x/me", { host: "a.b" }), "/x/me");
});

Deno.test("RouteTable compares methods as they are: get is another method than GET", () => {
  assertEquals(
    goes(table(["/x", { methods: ["GET"] }]), "/x", { method: "get" }),
    "method-not-allowed",
  );
});

Deno.test("a path without a rewrite goes on as it came", () => {
  for (const path of ["/x", "/x/", "/x/a%20b/"]) assertEquals(rewritten(["/x/*"], path), path);
});

Deno.test("a rewrite puts in what * stood for", () => {
  const spec: Spec = ["/api/users/*", { rewrite: "/users/*" }];
  assertEquals(rewritten(spec, "/api/users/123"), "/users/123");
  assertEquals(rewritten(spec, "/api/users/1/orders/"), "/users/1/orders/");
  assertEquals(rewritten(spec, "/api/users"), "/users");
  assertEquals(rewritten(spec, "/api/users/"), "/users/");
  assertEquals(rewritten(["/api/*", { rewrite: "/*" }], "/api"), "/");
  assertEquals(rewritten(["/api/*", { rewrite: "/*" }], "/api/x/y"), "/x/y");
  assertEquals(rewritten(["/*", { rewrite: "/v1/*" }], "/"), "/v1/");
  assertEquals(rewritten(["/api/*", { rewrite: "/fixed" }], "/api/x"), "/fixed");
});

Deno.test("a rewrite puts in parameters by name, in any order, with * behind them", () => {
  const spec: Spec = ["/t/{tenant}/u/{user}/*", { rewrite: "/{user}/of/{tenant}/*" }];
  assertEquals(rewritten(spec, "/t/a/u/b/c/d"), "/b/of/a/c/d");
  assertEquals(rewritten(spec, "/t/a/u/b"), "/b/of/a");
  assertEquals(
    rewritten(["/u/{id}", { rewrite: "/users/{id}/profile" }], "/u/%7Bid%7D"),
    "/users/%7Bid%7D/profile",
  );
});

Deno.test("a rewrite with the names of its own rule is right where rules share the segment", () => {
  const routes = table(
    ["/u/{id}", { rewrite: "/one/{id}" }],
    ["/u/{name}/x", { rewrite: "/two/{name}" }],
  );
  const paths = ["/u/7", "/u/7/x"].map((path) => {
    const match = routes.match(input(path));
    return match.kind === "matched" ? match.path : match.kind;
  });
  assertEquals(paths, ["/one/7", "/two/7"]);
});

Deno.test("what a parameter or * stood for is put in as it came, never read again as a pattern", () => {
  assertEquals(rewritten(["/u/{a}/{b}", { rewrite: "/{b}/{a}" }], "/u/{b}/*"), "/*/{b}");
});

Deno.test("a segment may have the name of a property of every object", () => {
  const routes = table(["/users/x"]);
  for (const path of ["/__proto__", "/constructor", "/users/toString"]) {
    assertEquals(goes(routes, path), "none");
  }
  assertEquals(goes(table(["/__proto__/{id}"]), "/__proto__/7"), "/__proto__/{id}");
});

Deno.test("among 10,000 routes each takes its own, and looks at the rules of its own path only", () => {
  let looked = 0;
  const watched = (path: string): Route => {
    const route = fakeRoute(path, { to: path });
    const { headers } = route.match;
    const match = Object.defineProperty({ ...route.match }, "headers", {
      get: () => {
        looked++;
        return headers;
      },
    });
    return { ...route, match };
  };
  const paths = Array.from(
    { length: 10_000 },
    (_, i) => [`/s${i}/exact`, `/s${i}/{id}/x`, `/s${i}/*`, `/a/b/${i}`][i % 4]!,
  );
  const routes = new RouteTable(paths.map(watched));
  looked = 0;
  for (let i = 0; i < 10_000; i++) {
    const path = paths[i]!.replace("{id}", "7").replace("*", "deep/er");
    const match = routes.match(input(path));
    assert(match.kind === "matched" && match.rule.to === paths[i], path);
  }
  assertLess(looked, 2 * 10_000 + 1);
  assertEquals(goes(routes, "/s0/none"), "none");
});

Deno.test("a long path costs no more than the table is deep", () => {
  const routes = table(["/a/{x}/{y}/end"], ["/a/*"]);
  const path = "/a" + "/b".repeat(100_000);
  assertEquals(goes(routes, path), "/a/*");
});

Deno.test("RouteTable takes HEAD for a route that takes GET, and says so of no other method", () => {
  const routes = table(["/users", { methods: ["GET"] }]);
  assertEquals(goes(routes, "/users", { method: "HEAD" }), "/users");
  assertEquals(goes(routes, "/users", { method: "PUT" }), "method-not-allowed");
});
