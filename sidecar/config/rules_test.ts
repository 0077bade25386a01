import { assertEquals } from "@std/assert";
import {
  bootstrap,
  policy,
  policyProblems,
  problems,
  problemsWith,
  REGISTRY,
} from "./test_documents.ts";

const GATEWAY = "gateway: { routes: [{ match: { path: /* }, to: a }] }";

Deno.test("a service without app needs a gateway", () => {
  const text = `service: { name: edge }\n${REGISTRY}\n`;
  assertEquals(problems(text), [
    "1:10: service: no app, expected service.app (or a gateway section for a pure edge)",
  ]);
  assertEquals(bootstrap(text + GATEWAY).service, {
    name: "edge",
    version: "v1",
    tags: ["v1"],
    address: "127.0.0.1",
    id: "edge-15006",
  });
});

Deno.test("a gateway section that is broken is not taken for a missing one", () => {
  const found = problems(`service: { name: edge }\n${REGISTRY}\ngateway: { routes: [] }\n`);
  assertEquals(found, ["3:20: gateway.routes: empty, expected at least one entry"]);
});

Deno.test("service.address is needed where the inbound listener is a wildcard", () => {
  const text = `service: { name: a, app: { http: 127.0.0.1:8001 } }\n${REGISTRY}\n`;
  const message = (host: string) =>
    `1:1: service.address: missing, needed because listeners.inbound is ${host}: ` +
    "other sidecars must be told which address to dial";
  assertEquals(problems(text), [message("0.0.0.0")]);
  assertEquals(problems(`${text}listeners: { inbound: "[::]:15006" }`), [message("::")]);
  assertEquals(problems(`${text}listeners: { inbound: "127.0.0.1:15006" }`), []);
});

Deno.test("service.address cannot be a wildcard", () => {
  const text = `service: { name: a, address: 0.0.0.0, app: { http: 127.0.0.1:1 } }\n${REGISTRY}`;
  assertEquals(problems(text), [
    "1:30: service.address: a wildcard that nobody can dial, expected one address",
  ]);
});

Deno.test("a policy section beside a policySource is refused", () => {
  assertEquals(problemsWith("policySource: { file: p.yaml }\npolicy: {}\n"), [
    "4:9: policy: policySource names the policy already, expected only one of the two",
  ]);
});

Deno.test("no two listeners share an address, gateway and upstream binds included", () => {
  const same = (path: string) => `the same address as ${path}, expected one that is free`;
  assertEquals(
    problemsWith(`listeners: { outbound: 127.0.0.1:15001, admin: localhost:15001 }
gateway: { bind: 127.0.0.1:15006, routes: [{ match: { path: / }, to: a }] }
policy: { upstreams: { a: { bind: 127.0.0.1:9101 }, b: { bind: 127.0.0.1:9101 } } }
`),
    [
      `3:48: listeners.admin: ${same("listeners.outbound")}`,
      `4:18: gateway.bind: ${same("listeners.inbound")}`,
      `5:64: policy.upstreams.b.bind: ${same("policy.upstreams.a.bind")}`,
    ],
  );
});

Deno.test("port 0 never collides", () => {
  assertEquals(problemsWith("listeners: { outbound: 127.0.0.1:0, admin: 127.0.0.1:0 }"), []);
});

Deno.test("a policy file keeps its own binds apart", () => {
  assertEquals(
    policyProblems("upstreams: { a: { bind: 127.0.0.1:1 }, b: { bind: 127.0.0.1:1 } }"),
    ["1:51: upstreams.b.bind: the same address as upstreams.a.bind, expected one that is free"],
  );
});

Deno.test("the app cannot listen where the sidecar does", () => {
  assertEquals(problemsWith("listeners: { inbound: 0.0.0.0:8001 }"), [
    "1:64: service.app.http: the same address as listeners.inbound, expected where the app listens",
  ]);
});

Deno.test("rules are checked in the sound sections of a document that has broken ones", () => {
  assertEquals(problemsWith("log: { level: x }\npolicySource: { file: p.yaml }\npolicy: {}\n"), [
    "3:15: log.level: not a value of this setting, expected debug, info, warn or error",
    "5:9: policy: policySource names the policy already, expected only one of the two",
  ]);
});

Deno.test("an app has an address, and is asked how it is only where it listens", () => {
  const app = (text: string) =>
    problems(`service: { name: a, address: 10.0.0.5, app: { ${text} } }\n${REGISTRY}\n`);
  const none = "1:45: service.app: no address, expected http, grpc or both";
  assertEquals(app("health: {}"), [none]);
  assertEquals(app("grpc: 127.0.0.1:1, health: { http: /ok }"), [
    "1:82: service.app.health.http: the app has no http address, expected service.app.http",
  ]);
  assertEquals(app("http: 127.0.0.1:1, health: { grpc: a.B }"), [
    "1:82: service.app.health.grpc: the app has no gRPC address, expected service.app.grpc",
  ]);
});

Deno.test("an app is asked by GET where it has http, by grpc.health.v1 where it has grpc alone, or as told", () => {
  const checks = (text: string) =>
    bootstrap(`service: { name: a, address: 10.0.0.5, app: { ${text} } }\n${REGISTRY}\n`).service
      .app
      ?.health.checks;
  const [get, all] = [{ kind: "http", path: "/health" }, { kind: "grpc", service: "" }] as const;
  assertEquals(checks("http: 127.0.0.1:1"), [get]);
  assertEquals(checks("grpc: 127.0.0.1:2"), [all]);
  assertEquals(checks("http: 127.0.0.1:1, grpc: 127.0.0.1:2"), [get]);
  assertEquals(checks('http: 127.0.0.1:1, grpc: 127.0.0.1:2, health: { grpc: "" }'), [all]);
  assertEquals(checks("http: 127.0.0.1:1, grpc: 127.0.0.1:2, health: { http: /ok, grpc: a.B }"), [
    { kind: "http", path: "/ok" },
    { kind: "grpc", service: "a.B" },
  ]);
});

Deno.test("raw TCP needs a port of its own", () => {
  const expected = "tcp needs a port of its own, expected bind beside it";
  assertEquals(policyProblems("upstreams: { db: { protocol: tcp } }"), [
    `1:30: upstreams.db.protocol: ${expected}`,
  ]);
  assertEquals(policyProblems("upstreams: { db: { protocol: tcp, bind: 127.0.0.1:5432 } }"), []);
  assertEquals(problemsWith("policy: { upstreams: { db: { protocol: tcp } } }"), [
    `3:40: policy.upstreams.db.protocol: ${expected}`,
  ]);
});

Deno.test("a retry section fills in its defaults, and there is none without it", () => {
  const read = (text: string) => policy(`upstreams: { a: { ${text} } }`).upstreams.get("a")?.retry;
  assertEquals(read(""), undefined);
  assertEquals(read("retry: {}"), {
    attempts: 2,
    on: ["connect", "reset", "gateway-error", "grpc-unavailable"],
    backoff: { minMs: 25, maxMs: 250 },
    budget: 0.2,
  });
  assertEquals(read("retry: { attempts: 4, on: [reset], backoff: 1ms..2s, budget: 5% }"), {
    attempts: 4,
    on: ["reset"],
    backoff: { minMs: 1, maxMs: 2000 },
    budget: 0.05,
  });
});

Deno.test("the bounds of concurrency stand in their order", () => {
  const concurrency = (text: string) =>
    problemsWith(`policy: { inbound: { concurrency: ${text} } }\n`);
  assertEquals(concurrency("{}"), []);
  assertEquals(concurrency("{ max: 50 }"), [
    "3:35: policy.inbound.concurrency: min 3, initial 100 and max 50, expected them in this order",
  ]);
  assertEquals(concurrency("{ tolerance: 1 }").length, 1);
});
