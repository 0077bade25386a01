// Who is not let in, and what it is called: hostile certificates at both ends of a mesh connection, and tickets of theirs.
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { dialMesh } from "../../sidecar/net/mesh_tls.ts";
import { TlsIdentity } from "../../sidecar/net/tls_identity.ts";
import { PeerError } from "../../sidecar/net/trust_path.ts";
import {
  type LeafOptions,
  NAME_TAGS,
  rawNames,
  TestAuthority,
  type TestCertificate,
} from "../support/certificates.ts";
import { run } from "./support/programs.ts";
import { idOf, materialOf, meshIdentity, MeshPort } from "./support/tls.ts";
import { HostileServer, Stranger } from "./support/tls_client.ts";
import { inTime } from "./support/until.ts";
import { Workspace } from "./support/workspace.ts";

const HOUR_MS = 3_600_000;
const hours = (count: number) => new Date(Date.now() + count * HOUR_MS);

interface Hostile {
  readonly what: string;
  readonly leaf: LeafOptions;
  readonly reason: string;
  /** Who issues it, in place of the root that is trusted. */
  readonly issuer?: (root: TestAuthority) => Promise<TestAuthority>;
  readonly says?: string;
}

const uris = [idOf("caller")];
const CERTIFICATES: readonly Hostile[] = [
  {
    what: "of another CA",
    leaf: { uris },
    issuer: () => TestAuthority.root("other"),
    reason: "unknown-ca",
  },
  {
    what: "of another CA of the same name",
    leaf: { uris },
    issuer: () => TestAuthority.root("root"),
    reason: "unknown-ca",
  },
  {
    what: "signed by one that is no CA",
    leaf: { uris },
    issuer: (root) => root.intermediate("not a CA", { isCa: false }),
    reason: "unknown-ca",
  },
  {
    what: "below more intermediates than are allowed",
    leaf: { uris },
    issuer: async (root) => (await root.intermediate("one", { pathLength: 0 })).intermediate("two"),
    reason: "unknown-ca",
  },
  {
    what: "of an intermediate that has expired",
    leaf: { uris },
    issuer: (root) => root.intermediate("old", { notBefore: hours(-3), notAfter: hours(-1) }),
    reason: "expired",
  },
  {
    what: "expired",
    leaf: { uris, notBefore: hours(-3), notAfter: hours(-1) },
    reason: "expired",
    says: idOf("caller"),
  },
  {
    what: "not yet valid",
    leaf: { uris, notBefore: hours(1), notAfter: hours(3) },
    reason: "not-yet-valid",
  },
  {
    what: "without a SPIFFE id",
    leaf: { dns: ["caller"] },
    reason: "bad-identity",
    says: "0 URI names",
  },
  {
    what: "with two SPIFFE ids",
    leaf: { uris: [...uris, idOf("admin")] },
    reason: "bad-identity",
    says: "2 URI names",
  },
  {
    what: "with a URI that is no SPIFFE id",
    leaf: { uris: ["https://mesh.local/caller"] },
    reason: "bad-identity",
  },
  {
    what: "with one URI that prints as two",
    leaf: {
      rawNames: rawNames({ tag: NAME_TAGS.uri, text: `${idOf("x")}, URI:${idOf("admin")}` }),
    },
    reason: "bad-identity",
  },
  {
    what: "with a DNS name that prints as a SPIFFE id",
    leaf: { rawNames: rawNames({ tag: NAME_TAGS.dns, text: `x, URI:${idOf("admin")}` }) },
    reason: "bad-identity",
  },
  {
    what: "with a zero byte in its SPIFFE id",
    leaf: { rawNames: rawNames({ tag: NAME_TAGS.uri, text: `${idOf("admin")}\0x` }) },
    reason: "bad-identity",
  },
  {
    what: "of another trust domain",
    leaf: { uris: ["spiffe://other.local/ns/default/svc/caller"] },
    reason: "wrong-trust-domain",
    says: "other.local",
  },
];

async function hostile({ leaf, issuer }: Hostile, root: TestAuthority): Promise<TestCertificate> {
  return await (issuer === undefined ? root : await issuer(root)).issue(leaf);
}

Deno.test("a mesh port names why it lets a client not in", async (t) => {
  const root = await TestAuthority.root("root");
  const identity = meshIdentity(await materialOf(root, "callee"));
  const cases: readonly (Hostile | { what: string; reason: string })[] = [
    { what: "none at all", reason: "no-certificate" },
    { what: "without clientAuth", leaf: { uris, usages: ["server"] }, reason: "no-client-auth" },
    ...CERTIFICATES,
  ];
  for (const entry of cases) {
    await t.step(`a certificate ${entry.what}`, async () => {
      await using port = await MeshPort.open(identity);
      const certificate = "leaf" in entry ? await hostile(entry, root) : undefined;
      using stranger = await Stranger.dial(port.port, { certificate });
      const failure = await port.failure();
      assertEquals(failure.reason, entry.reason, failure.detail);
      if ("says" in entry) assertStringIncludes(failure.detail, entry.says ?? "");
      assertEquals(failure.peer.host, "127.0.0.1");
      assert(failure.peer.port > 0);
      await inTime("the end of the connection", stranger.closed);
      assertEquals([port.connections.length, port.failures.length], [0, 1]);
    });
  }
});

Deno.test("a dialer names why it takes a server for the wrong one", async (t) => {
  const root = await TestAuthority.root("root");
  const caller = meshIdentity(await materialOf(root, "caller"));
  const cases: readonly Hostile[] = [
    { what: "without serverAuth", leaf: { uris, usages: ["client"] }, reason: "no-server-auth" },
    {
      what: "of another service",
      leaf: { uris: [idOf("payment")] },
      reason: "wrong-identity",
      says: idOf("payment"),
    },
    ...CERTIFICATES,
  ];
  for (const entry of cases) {
    await t.step(`a certificate ${entry.what}`, async () => {
      await using server = await HostileServer.open(await hostile(entry, root));
      const error = await assertRejects(
        () =>
          dialMesh({ host: "127.0.0.1", port: server.port }, new AbortController().signal, {
            identity: caller,
            expectedId: idOf("caller"),
            alpn: ["h2"],
          }),
        PeerError,
      );
      assertEquals(error.reason, entry.reason, error.message);
      if (entry.says !== undefined) assertStringIncludes(error.message, entry.says);
      assertEquals(caller.openConnections, 0);
    });
  }
});

/** openssl s_client with a client certificate; says "hello", keeps or uses a session. */
async function openssl(port: number, ...args: readonly string[]) {
  const command =
    `(sleep 0.5; echo hello; sleep 0.5) | openssl s_client -connect 127.0.0.1:${port} ${
      args.join(" ")
    }`;
  return await run("sh", "-c", command);
}

Deno.test("a resumed session is let in only while its certificate would be", async (t) => {
  await using workspace = new Workspace();
  const [rootA, rootB] = [await TestAuthority.root("root A"), await TestAuthority.root("root B")];
  const both = { trust: [rootA, rootB] };
  const { certificatePem, privateKeyPem } = await materialOf(rootA, "caller");
  await workspace.write("caller.pem", certificatePem + privateKeyPem);
  const certificate = `${workspace.path}/caller.pem`;
  const session = `${workspace.path}/session`;
  const client = ["-cert", certificate, "-alpn", "h2"];
  const identity = meshIdentity(await materialOf(rootB, "callee", both));
  await using port = await MeshPort.open(identity);

  await t.step("on the port that gave the ticket", async () => {
    assertStringIncludes(
      (await openssl(port.port, ...client, "-sess_out", session)).text,
      "New, TLSv1.3",
    );
    assertStringIncludes(
      (await openssl(port.port, ...client, "-sess_in", session)).text,
      "Reused, TLSv1.3",
    );
    assertEquals(port.connections.map(({ peer }) => peer.identity), [
      idOf("caller"),
      idOf("caller"),
    ]);
    assertEquals(port.failures, []);
  });

  await t.step("not on a port with another CA", async () => {
    await using other = await MeshPort.open(meshIdentity(await materialOf(rootB, "callee")));
    const { text } = await openssl(other.port, ...client, "-sess_in", session);
    assertStringIncludes(text, "Reused, TLSv1.3");
    assertEquals((await other.failure()).reason, "unknown-ca");
    assertEquals(other.connections.length, 0);
  });

  await t.step("not once its root is removed", async () => {
    identity.update(new TlsIdentity(await materialOf(rootB, "callee")));
    const { text } = await openssl(port.port, ...client, "-sess_in", session);
    assertStringIncludes(text, "Reused, TLSv1.3");
    assertEquals((await port.failure()).reason, "unknown-ca");
    assertEquals(port.connections.length, 2);
  });
});
