import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { type FakeExchange, fakeExchange } from "../../tests/support/fake_exchange.ts";
import { fakeRoute, fakeSnapshot } from "../../tests/support/fake_snapshot.ts";
import { ProxyError } from "../errors.ts";
import { SnapshotStore } from "../snapshot/store.ts";
import type { Exchange } from "./exchange.ts";
import { rescue } from "./rescue.ts";
import {
  DedicatedRouter,
  EdgeRouter,
  hostOf,
  InboundRouter,
  OutboundRouter,
  PathNormalizer,
} from "./routers.ts";

const USERS = { "user-service": ["10.0.0.1:80"] };

/** The target as the route table gets to see it; the kind of the refusal otherwise. */
function normalized(target: string, about: FakeExchange = {}): string {
  const exchange = fakeExchange({ target, ...about });
  try {
    new PathNormalizer().route(exchange);
    return exchange.request.target;
  } catch (error) {
    if (error instanceof ProxyError) return error.kind;
    throw error;
  }
}

function edge(about: FakeExchange): Exchange {
  const exchange = fakeExchange(about);
  new PathNormalizer().route(exchange);
  new EdgeRouter().route(exchange);
  return exchange;
}

function kindOf(run: () => unknown): string {
  return assertThrows(run, ProxyError).kind;
}

Deno.test("hostOf is the authority without its port, in lower case", () => {
  const hosts = {
    "example.com": "example.com",
    "Example.COM:8000": "example.com",
    "[::1]:80": "[::1]",
    "[FD00::A]": "[fd00::a]",
    "": "",
    ":80": ":80",
  };
  for (const [authority, host] of Object.entries(hosts)) assertEquals(hostOf(authority), host);
});

Deno.test("PathNormalizer gives every spelling of a path the one that rules are written for", () => {
  const spellings = {
    "/api/admin": [
      "/api/admin",
      "/api/%61dmin",
      "/%61%70%69/%61%64%6D%69%6e",
      "//api///admin",
      "/api/%61%64min",
    ],
    "/api/a~b-c._": ["/api/a%7Eb%2Dc%2e%5f"],
    "/api/%2B%C3%A9": ["/api/%2b%c3%a9", "/api/%2B%C3%A9"],
    "/.well-known/x": ["/.well-known/x", "/%2ewell-known/x"],
    "/a...b/.../..a": ["/a...b/.../..a"],
    "/%252e%252e/x": ["/%252e%252e/x"],
  };
  for (const [wanted, targets] of Object.entries(spellings)) {
    for (const target of targets) assertEquals(normalized(target), wanted, target);
  }
});

Deno.test("PathNormalizer refuses a path that could climb or hide a separator from somebody", () => {
  const climbing = ["/api/../admin", "/api/..", "/..", "/.", "/api/./admin", "/api/."]
    .concat([
      "/api/%2e%2e/admin",
      "/api/%2E./admin",
      "/api/.%2e",
      "/%2e",
      "//..",
      "/api//%2e%2e//x",
    ])
    .concat([
      "/api/..;/admin",
      "/api/..;x=1/admin",
      "/api/%2e%2e;/admin",
      "/api/.;/admin",
      "/..%3b/x",
    ]);
  const hiding = ["/api%2fadmin", "/api%2Fadmin", "/api%5cadmin", "/api\\admin", "/api/..\\admin"]
    .concat(["/api%00", "/api/%", "/api/%2", "/api/%zz", "/api/%2g"]);
  for (const target of [...climbing, ...hiding]) {
    assertEquals(normalized(target), "bad-request", target);
  }
});

Deno.test("PathNormalizer leaves the query as it came", () => {
  for (const query of ["?next=/../x", "?a=%2f%2e%2e", "?//", "??", "?%zz", "?"]) {
    assertEquals(normalized(`/api/%61${query}`), `/api/a${query}`);
    assertEquals(normalized(`/api/a${query}`), `/api/a${query}`);
  }
});

Deno.test("PathNormalizer leaves OPTIONS * alone and refuses CONNECT", () => {
  assertEquals(normalized("*", { method: "OPTIONS", form: "asterisk" }), "*");
  assertEquals(normalized("a:80", { method: "CONNECT", form: "authority" }), "not-implemented");
});

Deno.test("no spelling of a protected path gets round its rule", () => {
  const routes = [
    fakeRoute("/api/*", { to: "open" }),
    fakeRoute("/api/admin/*", { to: "admin", auth: "jwt" }),
  ];
  const snapshot = fakeSnapshot({ routes });
  const spellings = [
    "/api/admin",
    "/api/%61dmin",
    "//api//admin",
    "/api/admin/",
    "/api/%61%64%6d%69%6e/x",
  ]
    .concat([
      "/api/x/../admin",
      "/api/x/..;/admin",
      "/api%2fadmin",
      "/api/%2e/admin",
      "/api/.//admin",
    ]);
  for (const target of spellings) {
    try {
      assertEquals(edge({ snapshot, target }).route?.auth, "jwt", target);
    } catch (error) {
      assert(error instanceof ProxyError && error.kind === "bad-request", target);
    }
  }
});

Deno.test("EdgeRouter takes the route, its service and its rewrite, and keeps the query", () => {
  const route = fakeRoute("/api/users/*", { rewrite: "/users/*", timeoutMs: 1234 });
  const snapshot = fakeSnapshot({ routes: [route], endpoints: USERS });
  const exchange = edge({ snapshot, target: "/api/%75sers/7?x=/api/users/" });
  assertStrictEquals(exchange.route, route);
  assertStrictEquals(exchange.cluster, snapshot.clusters.get("user-service"));
  assertEquals(exchange.request.target, "/users/7?x=/api/users/");
  assertEquals([exchange.upstream, exchange.timeoutMs], ["user-service", 1234]);
});

Deno.test("EdgeRouter goes by the upstream's timeout where the route has none; 0 is one", () => {
  const timeoutOf = (timeoutMs?: number) => {
    const route = fakeRoute("/x", timeoutMs === undefined ? {} : { timeoutMs });
    const upstreams = { "user-service": { timeoutMs: 777 } };
    return edge({ snapshot: fakeSnapshot({ routes: [route], upstreams }), target: "/x" }).timeoutMs;
  };
  assertEquals([timeoutOf(), timeoutOf(0), timeoutOf(5)], [777, 0, 5]);
});

Deno.test("EdgeRouter looks at the host without its port and case, and at the headers", () => {
  const routes = [
    fakeRoute("/x", { to: "any" }),
    fakeRoute("/x", { to: "host", host: "api.example.com" }),
    fakeRoute("/x", { to: "beta", host: "api.example.com", headers: { "x-beta": "1" } }),
  ];
  const snapshot = fakeSnapshot({ routes });
  const to = (authority: string, headers = {}) =>
    edge({ snapshot, target: "/x", authority, headers }).upstream;
  assertEquals(to("API.example.com:8000"), "host");
  assertEquals(to("api.example.com", { "x-beta": "1" }), "beta");
  assertEquals(to("other.example.com"), "any");
});

Deno.test("EdgeRouter answers 404 where there is no route", () => {
  const snapshot = fakeSnapshot({ routes: [fakeRoute("/x")] });
  assertEquals(kindOf(() => edge({ snapshot, target: "/y" })), "route-not-found");
});

Deno.test("EdgeRouter answers 405 with Allow where a route has the path but not the method", () => {
  const routes = [
    fakeRoute("/x", { methods: ["POST", "GET"] }),
    fakeRoute("/{any}", { methods: ["DELETE", "GET"] }),
  ];
  const snapshot = fakeSnapshot({ routes });
  const error = assertThrows(() => edge({ snapshot, target: "/x", method: "PUT" }), ProxyError);
  const response = rescue(error);
  assertEquals([response.status, response.headers.get("allow")], [405, "DELETE, GET, POST"]);
  assertEquals(response.headers.get("x-mesh-reason"), "method-not-allowed");
});

Deno.test("EdgeRouter leaves it to the forwarder to say that nobody is there, so that tokens are checked first", () => {
  const snapshot = fakeSnapshot({ routes: [fakeRoute("/x", { auth: "jwt" })] });
  const exchange = edge({ snapshot, target: "/x" });
  assertEquals(exchange.route?.auth, "jwt");
  assertEquals([exchange.cluster?.name, exchange.cluster?.endpoints], ["user-service", []]);
  assertEquals(exchange.timeoutMs, snapshot.defaultUpstream.timeoutMs);
});

Deno.test("OutboundRouter finds the service by its name, with .mesh or a port or as a proxy's target", async () => {
  const store = new SnapshotStore(fakeSnapshot({ endpoints: USERS }));
  const router = new OutboundRouter(store, () => Promise.reject(new Error("asked")));
  for (
    const authority of [
      "user-service",
      "user-service:8080",
      "USER-service.mesh",
      "user-service.mesh.",
      "user-service.mesh:1",
    ]
  ) {
    for (const form of ["origin", "absolute"] as const) {
      const exchange = fakeExchange({
        snapshot: store.current,
        listener: "outbound",
        authority,
        form,
      });
      await router.route(exchange);
      assertEquals([exchange.cluster?.name, exchange.upstream], ["user-service", "user-service"]);
      assertEquals(exchange.timeoutMs, exchange.cluster?.timeoutMs);
    }
  }
});

Deno.test("OutboundRouter refuses what cannot be a service, and asks no registry for it", () => {
  const store = new SnapshotStore(fakeSnapshot());
  const asked: string[] = [];
  const router = new OutboundRouter(store, (name) => Promise.resolve(void asked.push(name)));
  const others = [
    "",
    "example.com",
    "a.b.mesh",
    ".mesh",
    "-a",
    "a-",
    "a_b",
    "[::1]:80",
    "127.0.0.1:80",
    "x".repeat(64),
  ]
    .concat(["user-service..", "..", "*"]);
  for (const authority of others) {
    const exchange = fakeExchange({ listener: "outbound", authority });
    assertEquals(kindOf(() => router.route(exchange)), "route-not-found", authority);
  }
  assertEquals(asked, []);
});

Deno.test("OutboundRouter makes a service known by its first use, and goes on with what was found", async () => {
  const store = new SnapshotStore(fakeSnapshot());
  const found = fakeSnapshot({ endpoints: USERS });
  const router = new OutboundRouter(store, (name) => {
    assertEquals(name, "user-service");
    store.publish(found);
    return Promise.resolve();
  });
  const exchange = fakeExchange({
    snapshot: store.current,
    listener: "outbound",
    authority: "user-service",
  });
  await router.route(exchange);
  assertStrictEquals(exchange.snapshot, found);
  assertStrictEquals(exchange.cluster, found.clusters.get("user-service"));
});

Deno.test("OutboundRouter says that nobody is there when the registry does not know, and names no upstream for it", async () => {
  const store = new SnapshotStore(fakeSnapshot());
  const router = new OutboundRouter(store, () => Promise.resolve());
  const exchange = fakeExchange({ listener: "outbound", authority: "made-up" });
  const error = await assertRejects(async () => await router.route(exchange), ProxyError);
  assertEquals(error.kind, "no-endpoints");
  assertEquals(
    error.message,
    "service unavailable: no healthy instances found for service: made-up",
  );
  assertEquals(exchange.upstream, undefined, "made-up names would fill the metrics");
});

Deno.test("DedicatedRouter goes to its service whatever Host says", () => {
  const snapshot = fakeSnapshot({ endpoints: USERS });
  const router = new DedicatedRouter("user-service");
  for (const authority of ["other-service", "example.com", ""]) {
    const exchange = fakeExchange({ snapshot, listener: "outbound", authority });
    router.route(exchange);
    assertEquals([exchange.cluster?.name, exchange.upstream], ["user-service", "user-service"]);
  }
  const nowhere = fakeExchange({ listener: "outbound" });
  assertEquals(kindOf(() => router.route(nowhere)), "no-endpoints");
});

Deno.test("InboundRouter goes to the app, and nowhere where there is none", () => {
  const snapshot = fakeSnapshot({
    app: { http: { host: "127.0.0.1", port: 8001 }, timeoutMs: 99 },
  });
  const exchange = fakeExchange({ snapshot, listener: "inbound", target: "/a/../b//c" });
  new InboundRouter().route(exchange);
  assertStrictEquals(exchange.cluster, snapshot.app!);
  assertEquals([exchange.upstream, exchange.timeoutMs], ["app", 99]);
  assertEquals(exchange.request.target, "/a/../b//c", "the app sees what was sent");
  assertEquals(kindOf(() => new InboundRouter().route(fakeExchange())), "no-endpoints");
});

Deno.test("every listener refuses CONNECT", async () => {
  const snapshot = fakeSnapshot({
    endpoints: USERS,
    app: { http: { host: "::1", port: 1 }, timeoutMs: 1 },
  });
  const connect: FakeExchange = {
    snapshot,
    method: "CONNECT",
    form: "authority",
    target: "user-service:80",
    authority: "user-service:80",
  };
  const routers = [
    new PathNormalizer(),
    new OutboundRouter(new SnapshotStore(snapshot), () => Promise.resolve()),
    new DedicatedRouter("user-service"),
    new InboundRouter(),
  ];
  for (const router of routers) {
    const error = await assertRejects(
      async () => await router.route(fakeExchange(connect)),
      ProxyError,
    );
    assertEquals(error.kind, "not-implemented");
  }
});
