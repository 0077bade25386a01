import { assertEquals } from "@std/assert";
import { bootstrap, MINIMAL, problemsWith } from "./test_documents.ts";

/** The problems of a section policySource, which stands in line 3. */
function problemsOf(source: string): string[] {
  return problemsWith(`policySource: ${source}\n`);
}

const HTTPS = "endpoints: [https://a:2379]";

Deno.test("policySource.etcd has a default for everything", () => {
  const { policySource } = bootstrap(`${MINIMAL}policySource: { etcd: {} }\n`);
  assertEquals(policySource, {
    kind: "etcd",
    endpoints: ["http://127.0.0.1:2379"],
    prefix: "/mesh",
    tls: {},
    cacheDirectory: ".mesh/cache",
  });
});

Deno.test("policySource.etcd keeps what it is told", () => {
  const text = `${MINIMAL}
policySource:
  etcd:
    endpoints: [https://etcd-1:2379, https://etcd-2:2379]
    prefix: /teams/shop
    username: mesh
    password: \${PASSWORD}
    ca: ca.pem
    certificate: c.pem
    key: k.pem
    serverName: etcd.internal
    cache: { directory: /var/lib/sidecar }
`;
  assertEquals(bootstrap(text, { PASSWORD: "s3cret" }).policySource, {
    kind: "etcd",
    endpoints: ["https://etcd-1:2379", "https://etcd-2:2379"],
    prefix: "/teams/shop",
    username: "mesh",
    password: "s3cret",
    tls: { ca: "ca.pem", certificate: "c.pem", key: "k.pem", serverName: "etcd.internal" },
    cacheDirectory: "/var/lib/sidecar",
  });
});

Deno.test("policySource takes exactly one source", () => {
  assertEquals(problemsOf("{}"), [
    "3:15: policySource: no source, expected exactly one of file, etcd",
  ]);
  assertEquals(problemsOf("{ etcd: {}, file: p.yaml }"), [
    "3:15: policySource: two sources, expected exactly one of file, etcd",
  ]);
});

Deno.test("policySource.etcd refuses endpoints and prefixes that etcd would misunderstand", () => {
  assertEquals(problemsOf("{ etcd: { endpoints: [127.0.0.1:2379] } }"), [
    "3:37: policySource.etcd.endpoints[0]: expected the address of a member such as " +
    "http://127.0.0.1:2379 or https://etcd.internal:2379",
  ]);
  assertEquals(problemsOf("{ etcd: { endpoints: [] } }").length, 1);
  for (const prefix of ["mesh", "/mesh/", "/", "/a//b"]) {
    assertEquals(problemsOf(`{ etcd: { prefix: ${prefix} } }`), [
      "3:33: policySource.etcd.prefix: expected a path such as /mesh: names behind slashes, " +
      "without one at the end",
    ]);
  }
  assertEquals(problemsOf("{ etcd: { endpoints: [http://a:2379, https://b:2379] } }"), [
    "3:36: policySource.etcd.endpoints: http and https mixed, expected one of the two for all",
  ]);
});

Deno.test("policySource.etcd wants a name to check a certificate by", () => {
  for (const endpoint of ["https://10.0.0.1:2379", "'https://[::1]:2379'"]) {
    const place = "policySource.etcd.endpoints[0]: an address, expected a name";
    const [found] = problemsOf(`{ etcd: { endpoints: [${endpoint}] } }`);
    assertEquals(found, `3:37: ${place} (or serverName: one in etcd's certificate)`);
    assertEquals(problemsOf(`{ etcd: { endpoints: [${endpoint}], serverName: etcd } }`), []);
    const user = "username: a, password: b";
    const [other] = problemsOf(`{ etcd: { endpoints: [${endpoint}], serverName: etcd, ${user} } }`);
    assertEquals(other, `3:37: ${place}: etcd's password is asked for by it`);
  }
});

Deno.test("policySource.etcd refuses halves of credentials, and TLS that nothing uses", () => {
  const place = "policySource.etcd.";
  const cases: readonly [string, string][] = [
    ["username: a", "username: useless alone, expected password beside it"],
    ["password: a", "password: useless alone, expected username beside it"],
    [`${HTTPS}, ca: x, key: a`, "key: useless alone, expected certificate beside it"],
    [`${HTTPS}, certificate: a, key: b`, "certificate: useless alone, expected ca beside it"],
    ["ca: a", "ca: only TLS has a use for it, expected https:// endpoints"],
  ];
  for (const [settings, problem] of cases) {
    const [found, ...more] = problemsOf(`{ etcd: { ${settings} } }`);
    assertEquals(found?.replace(/^[0-9:]+ /, ""), place + problem);
    assertEquals(more, []);
  }
});
