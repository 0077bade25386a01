import { assertEquals } from "@std/assert";
import { bootstrap, MINIMAL, problemsWith } from "./test_documents.ts";

const ROUTES = "routes: [{ match: { path: /* }, to: a }]";
const PAIR = "cert: c.pem, key: k.pem";

function tlsOf(text: string) {
  return bootstrap(`${MINIMAL}gateway: { tls: { ${text} }, ${ROUTES} }\n`).gateway?.tls;
}

function tlsProblems(text: string): string[] {
  return problemsWith(`gateway: { tls: { ${text} }, ${ROUTES} }\n`)
    .map((problem) => problem.replace(/^3:\d+: gateway\./, ""));
}

Deno.test("TLS at the edge is off, and a certificate is all that it needs", () => {
  assertEquals(bootstrap(`${MINIMAL}gateway: { ${ROUTES} }\n`).gateway?.tls, undefined);
  assertEquals(tlsOf(PAIR), { certificates: [{ cert: "c.pem", key: "k.pem" }] });
});

Deno.test("TLS at the edge fills in the defaults of each part that is there", () => {
  assertEquals(
    tlsOf(`${PAIR}, clientCertificates: { trustBundle: t.pem }, redirect: {}, hsts: {}`),
    {
      certificates: [{ cert: "c.pem", key: "k.pem" }],
      clientCertificates: { trustBundle: "t.pem", require: true },
      redirect: { bind: { host: "0.0.0.0", port: 8080 } },
      hsts: { maxAgeMs: 31_536_000_000, includesSubdomains: false, isPreloaded: false },
    },
  );
});

Deno.test("TLS at the edge takes every setting, and several certificates in order", () => {
  const several = "certificates: [{ cert: a.pem, key: a.key }, { cert: b.pem, key: b.key }]";
  const more = "clientCertificates: { trustBundle: t.pem, require: false }, " +
    "redirect: { bind: 127.0.0.1:80, httpsPort: 443 }, " +
    "hsts: { maxAge: 9000h, includeSubdomains: true, preload: true }";
  assertEquals(tlsOf(`${several}, ${more}`), {
    certificates: [{ cert: "a.pem", key: "a.key" }, { cert: "b.pem", key: "b.key" }],
    clientCertificates: { trustBundle: "t.pem", require: false },
    redirect: { bind: { host: "127.0.0.1", port: 80 }, httpsPort: 443 },
    hsts: { maxAgeMs: 32_400_000_000, includesSubdomains: true, isPreloaded: true },
  });
});

Deno.test("certificates come in exactly one form, each with its key", () => {
  const both = "tls.certificates: cert and key beside it, expected one of the two forms";
  const none = "tls: no certificate, expected cert and key, or certificates";
  const list = "certificates: [{ cert: a.pem, key: a.key }]";
  assertEquals(tlsProblems("hsts: {}"), [none]);
  assertEquals(tlsProblems(`${PAIR}, ${list}`), [both]);
  assertEquals(tlsProblems(`key: k.pem, ${list}`), [both]);
  assertEquals(tlsProblems("cert: c.pem"), ["tls.key: missing, expected the key of cert"]);
  assertEquals(tlsProblems("key: k.pem"), ["tls.cert: missing, expected the certificate of key"]);
  assertEquals(tlsProblems("certificates: []"), [
    "tls.certificates: empty, expected at least one entry",
  ]);
  assertEquals(tlsProblems("certificates: [{ cert: a.pem }]"), [
    "tls.certificates[0].key: missing, expected the path of a file",
  ]);
});

Deno.test("hsts stands in tls and nowhere else", () => {
  const found = problemsWith(`gateway: { hsts: {}, ${ROUTES} }\n`);
  assertEquals(found.length, 1);
  assertEquals(found[0]!.startsWith('3:12: gateway.hsts: unknown key "hsts"'), true, found[0]);
});

Deno.test("preload promises what the lists of browsers ask for", () => {
  const wanted = "needs all names below this one, expected includeSubdomains: true";
  assertEquals(tlsProblems(`${PAIR}, hsts: { preload: true, maxAge: 8759h }`), [
    `tls.hsts.preload: ${wanted}`,
    "tls.hsts.maxAge: too short for preload, expected at least 8760h",
  ]);
  assertEquals(tlsProblems(`${PAIR}, hsts: { preload: true, includeSubdomains: true }`), []);
});

Deno.test("the port for redirects is nobody else's, and clients are sent to one that there is", () => {
  assertEquals(tlsProblems(`${PAIR}, redirect: { bind: 0.0.0.0:8000 }`), [
    "tls.redirect.bind: the same address as gateway.bind, expected one that is free",
  ]);
  assertEquals(tlsProblems(`${PAIR}, redirect: { bind: 127.0.0.1:15001 }`), [
    "tls.redirect.bind: the same address as listeners.outbound, expected one that is free",
  ]);
  for (const port of ["0", "65536", "443.5", "https"]) {
    assertEquals(tlsProblems(`${PAIR}, redirect: { httpsPort: ${port} }`), [
      "tls.redirect.httpsPort: expected a port from 1 to 65535",
    ], port);
  }
});
