import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ConfigError } from "../errors.ts";
import { defaultUpstream } from "./build.ts";
import type { UpstreamPolicy } from "./build_upstream.ts";
import { loadBootstrap } from "./load.ts";
import {
  bootstrap,
  MINIMAL,
  policy,
  policyProblems,
  problems,
  problemsWith,
} from "./test_documents.ts";

Deno.test("parseBootstrap fills in every default of a minimal document", () => {
  assertEquals(bootstrap(MINIMAL), {
    service: {
      name: "user-service",
      version: "v1",
      tags: ["v1"],
      address: "10.0.0.5",
      id: "user-service-15006",
      app: {
        http: { host: "127.0.0.1", port: 8001 },
        health: {
          checks: [{ kind: "http", path: "/health" }],
          intervalMs: 10_000,
          timeoutMs: 3000,
          healthyThreshold: 1,
          unhealthyThreshold: 1,
          startupGraceMs: 0,
        },
      },
    },
    listeners: {
      inbound: { host: "0.0.0.0", port: 15006 },
      outbound: { host: "127.0.0.1", port: 15001 },
      admin: { host: "127.0.0.1", port: 15000 },
      health: { host: "0.0.0.0", port: 15021 },
    },
    registry: { kind: "files", directory: ".mesh/registry" },
    policySource: { kind: "section" },
    tracing: { sample: 1, keepsErrors: true, slowMs: 1000 },
    policy: { upstreams: new Map(), inbound: { timeoutMs: 15_000 } },
    identity: {
      mode: "strict",
      trustDomain: "mesh.local",
      namespace: "default",
      source: { kind: "selfSigned", directory: ".mesh/ca", leafLifeMs: 86_400_000 },
    },
    limits: {
      headBytes: 65_536,
      headers: 100,
      requestLineBytes: 16_384,
      headTimeoutMs: 10_000,
      idleTimeoutMs: 60_000,
      streamIdleTimeoutMs: 300_000,
      tunnelIdleTimeoutMs: 3_600_000,
      connections: 10_000,
      streams: 1000,
    },
    drain: { delayMs: 1000, timeoutMs: 10_000 },
    log: { level: "info", format: "json", access: "errors" },
  });
});

Deno.test("parseBootstrap reads every setting that an instance has", () => {
  const { service, listeners, registry, policySource, identity, limits, drain, log } = bootstrap(`
$schema: ./bootstrap.schema.json
service:
  name: order-service
  version: v2
  tags: [v2, "zone=eu"]
  address: order.internal
  id: order-1
  app: { http: "[::1]:8002", health: { http: /ok, tcp: true, interval: 1s, timeout: 500ms, healthyThreshold: 2, unhealthyThreshold: 3, startupGrace: 30s } }
listeners: { inbound: 10.0.0.5:1, outbound: 127.0.0.1:2, admin: 127.0.0.1:3, health: 127.0.0.1:0 }
registry: { static: { user-service: [127.0.0.1:15106, "[::1]:15107"], empty: [] } }
policySource: { file: policy.yaml }
identity: { mode: permissive, trustDomain: shop.example, namespace: eu, selfSigned: { directory: /ca, leafLife: 1h } }
workers: 1
limits: { head: 1KiB, headers: 10, requestLine: 512B, headTimeout: 1s, idleTimeout: 2s, connections: 3 }
drain: { delay: 5s, timeout: 0 }
log: { level: debug, format: text, access: off }
`);
  assertEquals(identity, {
    mode: "permissive",
    trustDomain: "shop.example",
    namespace: "eu",
    source: { kind: "selfSigned", directory: "/ca", leafLifeMs: 3_600_000 },
  });
  assertEquals(service, {
    name: "order-service",
    version: "v2",
    tags: ["v2", "zone=eu"],
    address: "order.internal",
    id: "order-1",
    app: {
      http: { host: "::1", port: 8002 },
      health: {
        checks: [{ kind: "http", path: "/ok" }, { kind: "tcp" }],
        intervalMs: 1000,
        timeoutMs: 500,
        healthyThreshold: 2,
        unhealthyThreshold: 3,
        startupGraceMs: 30_000,
      },
    },
  });
  assertEquals(listeners.inbound, { host: "10.0.0.5", port: 1 });
  assertEquals(listeners.health, { host: "127.0.0.1", port: 0 });
  const users = [{ host: "127.0.0.1", port: 15106 }, { host: "::1", port: 15107 }];
  const services = new Map([["user-service", users], ["empty", []]]);
  assertEquals(registry, { kind: "static", services });
  assertEquals(policySource, { kind: "file", path: "policy.yaml" });
  assertEquals(limits, {
    headBytes: 1024,
    headers: 10,
    requestLineBytes: 512,
    headTimeoutMs: 1000,
    idleTimeoutMs: 2000,
    streamIdleTimeoutMs: 300_000,
    tunnelIdleTimeoutMs: 3_600_000,
    connections: 3,
    streams: 1000,
  });
  assertEquals(drain, { delayMs: 5000, timeoutMs: 0 });
  assertEquals(log, { level: "debug", format: "text", access: "off" });
});

Deno.test("parseBootstrap takes the address from an inbound listener that can be dialled", () => {
  const addressFor = (inbound: string) =>
    bootstrap(`
service: { name: a, app: { http: 127.0.0.1:8001 } }
listeners: { inbound: "${inbound}" }
registry: { files: {} }`).service.address;
  assertEquals(addressFor("127.0.0.1:15006"), "127.0.0.1");
  assertEquals(addressFor("localhost:15006"), "127.0.0.1");
  assertEquals(addressFor("[::1]:15006"), "::1");
  assertEquals(addressFor("10.1.2.3:15006"), "10.1.2.3");
});

Deno.test("parseBootstrap derives tags from the version and the id from the inbound port", () => {
  const { service } = bootstrap(`
service: { name: a, version: v7, address: 10.0.0.5, app: { http: 127.0.0.1:8001 } }
listeners: { inbound: 0.0.0.0:15306 }
registry: { files: { directory: /run/mesh } }`);
  assertEquals(service.tags, ["v7"]);
  assertEquals(service.id, "a-15306");
});

Deno.test("parseBootstrap reads the policy section as parsePolicy reads a file", () => {
  const text = `
upstreams:
  user-service: { protocol: http1, bind: 127.0.0.1:9101, timeout: 3s }
  order-service: { tls: none }
inbound: { timeout: 0 }`;
  const inside = defaultUpstream({ isEdge: false });
  const expected = {
    upstreams: new Map<string, UpstreamPolicy>([
      ["user-service", {
        ...inside,
        protocol: "http1" as const,
        bind: { host: "127.0.0.1", port: 9101 },
        timeoutMs: 3000,
      }],
      ["order-service", { ...inside, tls: "none" as const }],
    ]),
    inbound: { timeoutMs: 0 },
  };
  assertEquals(policy(text), expected);
  assertEquals(policy(`$schema: x${text}`), expected);
  assertEquals(bootstrap(`${MINIMAL}policy:${text.replaceAll("\n", "\n  ")}`).policy, expected);
  assertEquals(policy("{}"), { upstreams: new Map(), inbound: { timeoutMs: 15_000 } });
});

Deno.test("parseBootstrap freezes what it returns", () => {
  const { service, policy } = bootstrap(`${MINIMAL}policy: { upstreams: { a: {} } }`);
  assertThrows(() => Reflect.set(service, "name", "x") || fail(), TypeError);
  assert(Object.isFrozen(service.tags) && Object.isFrozen(service.app?.health));
  assert(Object.isFrozen(policy.upstreams.get("a")));
});

Deno.test("parseBootstrap reports every problem, sorted by line, each at its key or value", () => {
  assertEquals(
    problems(`service: { name: User_service, app: { http: 127.0.0.1:0 }, vers: v1 }
listener: { inbound: 127.0.0.1:15006 }
registry: { consul: { address: x } }
identity: { mode: strickt, trustDomian: x, namespace: .. }
workers: 2
drain: { timeout: 10, delay: 3 s }
log: { level: verbose, format: }
limits: { headers: 1.5, connections: 0 }
`),
    [
      "1:18: service.name: expected a service name such as user-service (a-z, 0-9 and -, at most 63)",
      "1:45: service.app.http: port out of range, expected 1 to 65535",
      '1:60: service.vers: unknown key "vers", did you mean "version"?',
      '2:1: listener: unknown key "listener", did you mean "listeners"?',
      "3:32: registry.consul.address: expected the address of an agent such as http://127.0.0.1:8500, " +
      "https://consul.internal:8501 or unix:///run/sidecar/consul.sock",
      "4:19: identity.mode: not a value of this setting, expected strict, permissive or off",
      '4:28: identity.trustDomian: unknown key "trustDomian", did you mean "trustDomain"?',
      "4:55: identity.namespace: expected letters, digits, dots, dashes and underscores, such as default",
      "5:10: workers: more than one worker is not in this version, expected 1",
      "6:19: drain.timeout: is a number, expected a duration such as 250ms, 10s or 5m",
      "6:30: drain.delay: expected a duration such as 250ms, 10s or 5m",
      "7:15: log.level: not a value of this setting, expected debug, info, warn or error",
      "7:32: log.format: is empty, expected json or text",
      "8:20: limits.headers: expected a whole number of at least 1",
      "8:38: limits.connections: expected a whole number of at least 1",
    ],
  );
});

Deno.test("parseBootstrap says of each wrong kind what stands there and what should", () => {
  assertEquals(problems("[]"), [
    "1:1: is a list, expected a mapping of service, listeners, registry, policySource, redis, " +
    "tracing, policy, identity, workers, gateway, limits, drain, log",
  ]);
  assertEquals(problemsWith("log: json\ndrain: [1s]\nlimits: 5\npolicy: { upstreams: true }"), [
    "3:6: log: is text, expected a mapping of level, format, access",
    "4:8: drain: is a list, expected a mapping of delay, timeout",
    "5:9: limits: is a number, expected a mapping of head, headers, requestLine, headTimeout, " +
    "idleTimeout, streamIdleTimeout, tunnelIdleTimeout, connections, streams",
    "6:22: policy.upstreams: is true or false, expected a mapping",
  ]);
});

Deno.test("parseBootstrap names what is missing at the key that should hold it", () => {
  assertEquals(problems("service: {}\n"), [
    "1:1: service.name: missing, expected a service name such as user-service " +
    "(a-z, 0-9 and -, at most 63)",
  ]);
});

Deno.test("parseBootstrap refuses features of later versions as unknown keys", () => {
  const later = ["tls: {}", "workers: 4"];
  assertEquals(later.filter((line) => problemsWith(line).length === 0), []);
});

Deno.test("parseBootstrap points at unusable keys of maps", () => {
  assertEquals(problemsWith("policy:\n  upstreams:\n    User_Service: {}\n"), [
    "5:5: policy.upstreams.User_Service: unusable key, expected a service name such as " +
    "user-service (a-z, 0-9 and -, at most 63)",
  ]);
});

Deno.test("parsePolicy reports problems like parseBootstrap", () => {
  assertEquals(policyProblems("upstreams: { a: { timeout: 3 } }\ninbounds: {}\n"), [
    "1:28: upstreams.a.timeout: is a number, expected a duration such as 250ms, 10s or 5m",
    '2:1: inbounds: unknown key "inbounds", did you mean "inbound"?',
  ]);
});

Deno.test("loadBootstrap reads through the given functions", async () => {
  const options = {
    readText: (path: string) =>
      Promise.resolve(path === "a.yaml" ? `${MINIMAL}log: {level: \${L}}` : ""),
    environment: (name: string) => name === "L" ? "warn" : undefined,
  };
  assertEquals((await loadBootstrap("a.yaml", options)).log.level, "warn");
  await assertRejects(() => loadBootstrap("b.yaml", options), ConfigError, "b.yaml:1:1: empty");
});

Deno.test("loadBootstrap hands on what reading throws", async () => {
  const readText = () => Promise.reject(new Error("no such file"));
  const options = { readText, environment: () => undefined };
  await assertRejects(() => loadBootstrap("a.yaml", options), Error, "no such file");
});

function fail(): never {
  throw new TypeError("the value was not changed");
}
