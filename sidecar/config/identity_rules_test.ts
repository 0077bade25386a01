import { assertEquals } from "@std/assert";
import { bootstrap, MINIMAL, problems, problemsWith, SERVICE } from "./test_documents.ts";

const FILES = "files: { certificate: c.pem, key: k.pem, trustBundle: t.pem }";

function sourceOf(identity: string, registry = "{ files: {} }") {
  const text = `${SERVICE}\nregistry: ${registry}\nidentity: ${identity}\n`;
  return bootstrap(text).identity.source;
}

Deno.test("one source of identity is enough", () => {
  assertEquals(bootstrap(`${MINIMAL}identity: { ${FILES} }\n`).identity.source, {
    kind: "files",
    certificate: "c.pem",
    key: "k.pem",
    trustBundle: "t.pem",
  });
  const expected = "expected at most one of selfSigned, files, consul";
  assertEquals(problemsWith(`identity: { ${FILES}, selfSigned: {} }\n`), [
    `3:11: identity: two sources, ${expected}`,
  ]);
  assertEquals(problemsWith(`identity: { ${FILES}, selfSigned: {}, consul: {} }\n`), [
    `3:11: identity: three sources, ${expected}`,
  ]);
  assertEquals(problemsWith("identity: { files: { certificate: c.pem, key: k.pem } }\n"), [
    "3:13: identity.files.trustBundle: missing, expected the path of a PEM file",
  ]);
});

Deno.test("Consul's authority is asked as the registry asks, unless it has an address of its own", () => {
  const local = { kind: "http", host: "127.0.0.1", port: 8500 } as const;
  const same = { kind: "consul", cacheDirectory: ".mesh/cache" } as const;
  assertEquals(sourceOf("{ consul: {} }"), { ...same, address: local, tls: {} });
  const registry = "{ consul: { address: 'https://c:8501', token: t, ca: ca.pem } }";
  assertEquals(sourceOf("{ consul: { cache: { directory: d } } }", registry), {
    kind: "consul",
    address: { kind: "https", host: "c", port: 8501 },
    token: "t",
    tls: { ca: "ca.pem" },
    cacheDirectory: "d",
  });
  assertEquals(sourceOf("{ consul: { address: 'http://127.0.0.1:8500' } }", registry), {
    ...same,
    address: local,
    tls: {},
  }, "what opens one agent is not shown to another");
});

Deno.test("what Consul's authority names itself, or nobody could use, is refused", () => {
  const named = "Consul's authority names it, expected to be left out";
  assertEquals(
    problemsWith("identity: { consul: {}, trustDomain: shop.example, namespace: shop }\n"),
    [`3:38: identity.trustDomain: ${named}`, `3:63: identity.namespace: ${named}`],
  );
  assertEquals(problemsWith("identity: { consul: { token: t } }\n"), [
    "3:30: identity.consul.token: useless without address, expected address beside it",
  ]);
  assertEquals(problemsWith("identity: { consul: { address: 'http://c', ca: ca.pem } }\n"), [
    "3:48: identity.consul.ca: only TLS has a use for it, expected an https:// address",
  ]);
  assertEquals(problems(`${SERVICE}\nidentity: { consul: { adress: 'http://c' } }\n`), [
    '2:23: identity.consul.adress: unknown key "adress", did you mean "address"?',
  ]);
});
