// TLS with the world outside of the mesh: the edge's port, and origins that are dialed.
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { systemClock } from "../../sidecar/lib/clock.ts";
import type { EdgeTlsMaterial } from "../../sidecar/net/edge_certificates.ts";
import { type EdgeListener, listenEdgeTls } from "../../sidecar/net/edge_tls.ts";
import type { NodeTransport } from "../../sidecar/net/node_transport.ts";
import { dialOriginTls, OriginTrust } from "../../sidecar/net/origin_tls.ts";
import type { TlsFailure } from "../../sidecar/net/tls_accept.ts";
import { TlsMaterialError } from "../../sidecar/net/tls_identity.ts";
import { TestAuthority } from "../support/certificates.ts";
import { run } from "./support/programs.ts";
import { LOOPBACK } from "./support/tls.ts";
import { Stranger } from "./support/tls_client.ts";
import { inTime, until } from "./support/until.ts";
import { Workspace } from "./support/workspace.ts";

/** An edge that answers everything with the protocol it was asked by. */
class Edge implements AsyncDisposable {
  readonly connections: NodeTransport[] = [];
  readonly refused: NodeTransport[] = [];
  readonly failures: TlsFailure[] = [];
  #listener: EdgeListener | undefined;

  static async open(material: EdgeTlsMaterial): Promise<Edge> {
    const edge = new Edge();
    edge.#listener = await listenEdgeTls(LOOPBACK, {
      material,
      clock: systemClock,
      onConnection: (transport) => {
        edge.connections.push(transport);
        void answer(transport).catch(() => transport.close());
      },
      onRefused: (transport) => edge.refused.push(transport),
      onFailure: (failure) => edge.failures.push(failure),
      onError: (error) => {
        throw error;
      },
    });
    return edge;
  }

  get listener(): EdgeListener {
    return this.#listener!;
  }

  get port(): number {
    return this.listener.address.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.listener.close();
    for (const transport of [...this.connections, ...this.refused]) transport.close();
    await this.listener.finished;
  }
}

async function answer(transport: NodeTransport): Promise<void> {
  const buffer = new Uint8Array(4096);
  while (await transport.read(buffer) !== null) {
    const body = transport.protocol ?? "none";
    const text = `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    await transport.write(new TextEncoder().encode(text));
  }
  transport.closeWrite();
  transport.close();
}

/** The names in the certificate that is shown for `servername`. */
async function shownFor(edge: Edge, servername: string): Promise<string | undefined> {
  using stranger = await Stranger.dial(edge.port, { tls: { servername } });
  return stranger.socket.getPeerCertificate().subjectaltname;
}

Deno.test("an edge shows the certificate of the name that is asked for, and the first one otherwise", async () => {
  const root = await TestAuthority.root("root");
  const certificates = [
    await root.issue({ dns: ["first.example"] }),
    await root.issue({ dns: ["shop.example", "*.shop.example"] }),
  ];
  await using edge = await Edge.open({ certificates });
  const [first, shop] = ["DNS:first.example", "DNS:shop.example, DNS:*.shop.example"];
  assertEquals(await shownFor(edge, "first.example"), first);
  assertEquals(await shownFor(edge, "SHOP.example"), shop);
  assertEquals(await shownFor(edge, "www.shop.example"), shop);
  assertEquals(await shownFor(edge, "a.www.shop.example"), first);
  assertEquals(await shownFor(edge, "elsewhere.example"), first);
  assertEquals(await shownFor(edge, ""), first);
});

Deno.test("an edge speaks TLS 1.2 and 1.3 and nothing older, h2 and http/1.1", async () => {
  const root = await TestAuthority.root("root");
  await using workspace = new Workspace();
  await workspace.write("root.pem", root.certificatePem);
  await using edge = await Edge.open({
    certificates: [await root.issue({ dns: ["edge.example"] })],
  });
  const at = `edge.example:${edge.port}`;
  const curl = (...args: readonly string[]) =>
    run(
      "curl",
      "-sS",
      "--cacert",
      `${workspace.path}/root.pem`,
      "--resolve",
      `${at}:127.0.0.1`,
      ...args,
      `https://${at}/`,
    );
  for (const version of [["--tls-max", "1.2"], ["--tlsv1.3"]]) {
    const { text, errors } = await curl("--http1.1", ...version);
    assertEquals([text, errors], ["http/1.1", ""]);
  }
  const old = await run(
    "sh",
    "-c",
    `openssl s_client -connect 127.0.0.1:${edge.port} -tls1_1 -cipher ALL@SECLEVEL=0 </dev/null 2>&1`,
  );
  assertStringIncludes(old.text, "Cipher is (NONE)");
  assertEquals((await until("a failure", () => edge.failures[0])).reason, "handshake-failed");
  using stranger = await Stranger.dial(edge.port, { tls: { ALPNProtocols: ["http/1.1", "h2"] } });
  assertEquals(stranger.socket.alpnProtocol, "h2", "h2 is preferred");
});

Deno.test("an edge reloads without touching open connections, and refuses garbage whole", async () => {
  const [root, other] = [await TestAuthority.root("root"), await TestAuthority.root("other")];
  const [first, second] = [
    await root.issue({ dns: ["one.example"] }),
    await root.issue({ dns: ["two.example"] }),
  ];
  await using edge = await Edge.open({ certificates: [first] });
  using open = await Stranger.dial(edge.port);
  edge.listener.update({ certificates: [second] });
  assertEquals(await shownFor(edge, "two.example"), "DNS:two.example");
  const answered = new Promise((resolve) => open.socket.once("data", resolve));
  open.socket.write("GET / HTTP/1.1\r\n\r\n");
  await inTime("an answer on the old connection", answered);

  const foreignKey = { ...first, privateKeyPem: (await other.issue()).privateKeyPem };
  const garbage: readonly (readonly [EdgeTlsMaterial, string])[] = [
    [{ certificates: [] }, "no certificate"],
    [{ certificates: [first, foreignKey] }, "not that of the certificate"],
    [{ certificates: [{ ...first, certificatePem: "garbage" }] }, "none in the PEM"],
    [{ certificates: [{ ...first, privateKeyPem: "garbage" }] }, "cannot be read"],
    [{ certificates: [first], clients: { trustPem: [], isRequired: true } }, "no root"],
    [
      { certificates: [first], clients: { trustPem: [first.certificatePem], isRequired: true } },
      "not an authority",
    ],
  ];
  for (const [material, message] of garbage) {
    assertThrows(() => edge.listener.update(material), TlsMaterialError, message);
  }
  assertEquals(await shownFor(edge, "two.example"), "DNS:two.example");
});

Deno.test("an edge that asks for client certificates names why it refuses one", async () => {
  const [root, clients] = [await TestAuthority.root("root"), await TestAuthority.root("clients")];
  const certificates = [await root.issue({ dns: ["edge.example"] })];
  const good = await clients.issue();
  for (const isRequired of [true, false]) {
    const trustPem = [clients.certificatePem];
    await using edge = await Edge.open({ certificates, clients: { trustPem, isRequired } });
    const cases = [
      [good, undefined],
      [undefined, isRequired ? "no-certificate" : undefined],
      [await root.issue(), "unknown-ca"],
      [await clients.issue({ usages: ["server"] }), "no-client-auth"],
      [await clients.issue({ notAfter: new Date(Date.now() - 1000) }), "expired"],
    ] as const;
    for (const [certificate, reason] of cases) {
      const [letIn, refused] = [edge.connections.length, edge.failures.length];
      using _stranger = await Stranger.dial(edge.port, { certificate });
      await until(
        "a verdict",
        () => edge.connections.length + edge.failures.length > letIn + refused,
      );
      assertEquals(edge.failures[refused]?.reason, reason, edge.failures[refused]?.detail);
    }
  }
});

Deno.test("an edge hands a plain connection over as refused", async () => {
  const root = await TestAuthority.root("root");
  await using edge = await Edge.open({
    certificates: [await root.issue({ dns: ["edge.example"] })],
  });
  using client = await Deno.connect({ hostname: "127.0.0.1", port: edge.port });
  await client.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  await until("the connection", () => edge.refused[0]);
  assertEquals(edge.connections.length, 0);
});

Deno.test("an origin must be of a CA that is trusted and of the name that is meant", async () => {
  const [root, other] = [await TestAuthority.root("root"), await TestAuthority.root("other")];
  const certificates = [await root.issue({ dns: ["origin.example"] })];
  await using edge = await Edge.open({ certificates });
  const address = { host: "127.0.0.1", port: edge.port };
  const dial = (trust: OriginTrust, serverName = "origin.example") =>
    dialOriginTls(address, new AbortController().signal, {
      trust,
      serverName,
      alpn: ["h2", "http/1.1"],
    });
  const trust = new OriginTrust(root.certificatePem);
  const transport = await dial(trust);
  assertEquals([transport.protocol, transport.peer.identity], ["h2", undefined]);
  await transport.write(new TextEncoder().encode("x"));
  assert((await transport.read(new Uint8Array(100)) ?? 0) > 0);
  transport.close();
  await assertRejects(() => dial(trust, "elsewhere.example"), Error, "elsewhere.example");
  await assertRejects(() => dial(new OriginTrust(other.certificatePem)), Error, "certificate");
  await assertRejects(() => dial(new OriginTrust()), Error, "certificate");
  assertThrows(() => new OriginTrust("garbage"), TlsMaterialError);
});
