import { assertEquals } from "@std/assert";
import { bootstrap, problems, SERVICE } from "./test_documents.ts";

/** The problems of a registry section, which stands in line 2. */
function problemsOf(registry: string, more = "listeners: { health: 0.0.0.0:15021 }"): string[] {
  return problems(`${SERVICE}\nregistry: ${registry}\n${more}\n`);
}

Deno.test("registry takes exactly one backend", () => {
  assertEquals(problemsOf("{}"), [
    "2:11: registry: no backend, expected exactly one of files, static, consul",
  ]);
  assertEquals(problemsOf("{ files: {}, static: {} }"), [
    "2:11: registry: two backends, expected exactly one of files, static, consul",
  ]);
  assertEquals(problemsOf("{ files: {}, static: {}, consul: {} }"), [
    "2:11: registry: three backends, expected exactly one of files, static, consul",
  ]);
});

Deno.test("registry.consul has a default for everything", () => {
  const { registry } = bootstrap(`${SERVICE}\nregistry: { consul: {} }\n`);
  assertEquals(registry, {
    kind: "consul",
    address: { kind: "http", host: "127.0.0.1", port: 8500 },
    failoverDatacenters: [],
    isStale: true,
    graceMs: 10_000,
    tls: {},
    check: { mode: "http", intervalMs: 10_000, timeoutMs: 3000, deregisterAfterMs: 30_000 },
    cacheDirectory: ".mesh/cache",
  });
});

Deno.test("registry.consul keeps what it is told", () => {
  const text = `${SERVICE}
registry:
  consul:
    address: https://consul.internal:8501
    token: \${TOKEN}
    datacenter: dc1
    failoverDatacenters: [dc2, dc3]
    namespace: team
    stale: false
    grace: 1m
    ca: ca.pem
    certificate: c.pem
    key: k.pem
    check: { mode: ttl, interval: 15s, timeout: 1s, deregisterAfter: 5m }
    cache: { directory: /var/lib/sidecar }
`;
  assertEquals(bootstrap(text, { TOKEN: "s3cret" }).registry, {
    kind: "consul",
    address: { kind: "https", host: "consul.internal", port: 8501 },
    token: "s3cret",
    datacenter: "dc1",
    failoverDatacenters: ["dc2", "dc3"],
    namespace: "team",
    isStale: false,
    graceMs: 60_000,
    tls: { ca: "ca.pem", certificate: "c.pem", key: "k.pem" },
    check: { mode: "ttl", intervalMs: 15_000, timeoutMs: 1000, deregisterAfterMs: 300_000 },
    cacheDirectory: "/var/lib/sidecar",
  });
});

Deno.test("registry.consul takes one token, and the empty one of a variable that is not set", () => {
  assertEquals(problemsOf("{ consul: { token: a, tokenFile: f } }"), [
    "2:44: registry.consul.tokenFile: token is there already, expected only one of the two",
  ]);
  assertEquals(problemsOf('{ consul: { token: "${NOT_SET:-}" } }'), []);
});

Deno.test("registry.consul takes files of TLS for https alone, and a certificate with its key", () => {
  assertEquals(problemsOf("{ consul: { ca: ca.pem } }"), [
    "2:27: registry.consul.ca: only TLS has a use for it, expected an https:// address",
  ]);
  assertEquals(problemsOf("{ consul: { address: 'https://c', key: k.pem } }"), [
    "2:50: registry.consul.key: useless alone, expected certificate beside it",
  ]);
  assertEquals(problemsOf("{ consul: { address: 'https://c', certificate: c.pem } }"), [
    "2:58: registry.consul.certificate: useless alone, expected key beside it",
  ]);
});

Deno.test("an agent elsewhere needs a health port that it can reach, unless it is told by heartbeat", () => {
  const loopback = "listeners: { health: 127.0.0.1:15021 }";
  assertEquals(problemsOf("{ consul: { address: 'http://10.0.0.9:8500' } }", loopback), [
    "3:22: listeners.health: only this host can ask there and the agent is at 10.0.0.9, " +
    "expected an address that it reaches (or registry.consul.check.mode: ttl)",
  ]);
  const ttl = "{ consul: { address: 'http://10.0.0.9:8500', check: { mode: ttl } } }";
  assertEquals(problemsOf(ttl, loopback), []);
  assertEquals(problemsOf("{ consul: {} }", loopback), []);
  assertEquals(problemsOf("{ consul: { address: 'http://10.0.0.9:8500' } }"), []);
});
