// HTTPS at the edge of a real sidecar, with curl as the client: names, versions, files that change, and who is refused.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { TestAuthority, type TestCertificate } from "../support/certificates.ts";
import { freePort } from "./support/ports.ts";
import { type Output, run } from "./support/programs.ts";
import { RawApp } from "./support/raw_app.ts";
import { TestSidecar } from "./support/sidecar.ts";
import { until } from "./support/until.ts";
import { answer, get, statusOf, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

/** Says by which scheme the client came. */
function app(): RawApp {
  return new RawApp(({ fields, wire }) => wire.write(answer(`${fields.get("x-forwarded-proto")}`)));
}

async function write(workspace: Workspace, name: string, certificate: TestCertificate) {
  await workspace.write(`${name}.pem`, certificate.certificatePem);
  await workspace.write(`${name}.key`, certificate.privateKeyPem);
}

interface Edge {
  readonly port: number;
  readonly sidecar: TestSidecar;
}

async function startEdge(
  workspace: Workspace,
  backend: RawApp,
  tls: Readonly<Record<string, unknown>>,
): Promise<Edge> {
  const port = freePort();
  const sidecar = await TestSidecar.start(workspace, {
    service: "edge",
    config: {
      registry: { static: { web: [`127.0.0.1:${backend.port}`] } },
      gateway: { bind: `127.0.0.1:${port}`, tls, routes: [{ match: { path: "/*" }, to: "web" }] },
    },
  });
  return { port, sidecar };
}

/** curl to `name` at the edge; the version, the subject's issuer and the answer on stdout. */
function curl(edge: Edge, name: string, ...args: string[]): Promise<Output> {
  const place = ["--resolve", `${name}:${edge.port}:127.0.0.1`, "--max-time", "20", "-sS", "-i"];
  return run("curl", ...place, ...args, `https://${name}:${edge.port}/`);
}

Deno.test("the edge speaks HTTPS by either version, with the certificate of the name asked for", async (t) => {
  await using workspace = new Workspace();
  await using backend = app();
  const authority = await TestAuthority.root("edge");
  await workspace.write("ca.pem", authority.certificatePem);
  await write(workspace, "a", await authority.issue({ dns: ["a.example"] }));
  await write(workspace, "b", await authority.issue({ dns: ["*.b.example"] }));
  const certificates = ["a", "b"].map((name) => ({ cert: `${name}.pem`, key: `${name}.key` }));
  const edge = await startEdge(workspace, backend, { certificates, hsts: { maxAge: "1h" } });
  await using sidecar = edge.sidecar;
  const ca = ["--cacert", `${workspace.path}/ca.pem`];

  await t.step("HTTP/2 and HTTP/1.1 by ALPN, and the app hears of https", async () => {
    for (const [flag, version] of [["--http2", "HTTP/2 200"], ["--http1.1", "HTTP/1.1 200"]]) {
      const { text, errors } = await curl(edge, "a.example", ...ca, flag!);
      assertStringIncludes(text, version!, errors);
      assert(text.endsWith("https"), text);
      assertStringIncludes(text.toLowerCase(), "strict-transport-security: max-age=3600");
    }
  });

  await t.step("each name gets its own certificate, and another name the first", async () => {
    assertEquals((await curl(edge, "x.b.example", ...ca)).code, 0);
    const { code, errors } = await curl(edge, "c.example", ...ca);
    assertEquals(code, 60, "curl's code for a certificate that is not for the name");
    assertStringIncludes(errors, "c.example");
  });

  await t.step("a plain client is told to come by https", async () => {
    using wire = await Wire.dial(edge.port);
    const message = await wire.exchange(get("a.example", "/"));
    assertEquals(statusOf(message), 403);
    assertEquals(message.fields.get("x-mesh-reason"), "tls-required");
  });

  await t.step("new files are taken while the edge runs, and bad ones are not", async () => {
    await workspace.write("a.pem", "garbage");
    await until(
      "a line about it",
      () => sidecar.process.lines.some((line) => line.includes("the last ones stay")),
    );
    assertEquals((await curl(edge, "a.example", ...ca)).code, 0);
    const next = await TestAuthority.root("next");
    await workspace.write("next.pem", next.certificatePem);
    await write(workspace, "a", await next.issue({ dns: ["a.example"] }));
    await until("the new certificate", async () => {
      const { code } = await curl(edge, "a.example", "--cacert", `${workspace.path}/next.pem`);
      return code === 0;
    });
  });
});

Deno.test("the plain port beside an edge sends clients to https, and their bodies with them", async () => {
  await using workspace = new Workspace();
  await using backend = new RawApp(({ startLine, body, wire }) =>
    wire.write(answer(`${startLine.split(" ")[0]} ${body}`))
  );
  const authority = await TestAuthority.root("edge");
  await workspace.write("ca.pem", authority.certificatePem);
  await write(workspace, "a", await authority.issue({ dns: ["a.example"] }));
  const plain = freePort();
  const redirect = { bind: `127.0.0.1:${plain}` };
  const edge = await startEdge(workspace, backend, { cert: "a.pem", key: "a.key", redirect });
  await using _sidecar = edge.sidecar;
  using wire = await Wire.dial(plain);
  const message = await wire.exchange(get(`a.example:${plain}`, "/x?y=%2F"));
  assertEquals(statusOf(message), 308);
  assertEquals(message.fields.get("location"), `https://a.example:${edge.port}/x?y=%2F`);
  const { text, errors } = await run(
    "curl",
    ...["-sS", "-L", "--max-time", "20", "--cacert", `${workspace.path}/ca.pem`],
    ...[edge.port, plain].flatMap((port) => ["--resolve", `a.example:${port}:127.0.0.1`]),
    ...["-d", "a body", `http://a.example:${plain}/`],
  );
  assertEquals(text, "POST a body", errors);
});

Deno.test("the edge lets in clients with a certificate alone, where it is told so, and tells the app whose", async () => {
  await using workspace = new Workspace();
  await using backend = new RawApp(({ fields, wire }) =>
    wire.write(answer(`told: ${fields.get("x-forwarded-client-cert")}`))
  );
  const authority = await TestAuthority.root("edge");
  const clients = await TestAuthority.root("clients");
  await workspace.write("ca.pem", authority.certificatePem);
  await workspace.write("clients.pem", clients.certificatePem);
  await write(workspace, "a", await authority.issue({ dns: ["a.example"] }));
  await write(
    workspace,
    "good",
    await clients.issue({
      subject: [["O", "Partner"], ["CN", "seven"]],
      uris: ["https://partner.example/7"],
      dns: ["seven.partner.example"],
    }),
  );
  await write(workspace, "bad", await authority.issue({}));
  const edge = await startEdge(workspace, backend, {
    cert: "a.pem",
    key: "a.key",
    clientCertificates: { trustBundle: "clients.pem" },
  });
  await using _sidecar = edge.sidecar;
  const ask = (name: string) =>
    curl(
      edge,
      "a.example",
      ...["--cacert", `${workspace.path}/ca.pem`],
      ...["--cert", `${workspace.path}/${name}.pem`, "--key", `${workspace.path}/${name}.key`],
      ...["-H", 'x-forwarded-client-cert: Hash=00;Subject="CN=somebody else"'],
    );
  const [, told = ""] = (await ask("good")).text.split("told: ");
  assertEquals(
    told.replace(/^Hash=[0-9a-f]{64};/, ""),
    'Subject="CN=seven,O=Partner";URI=https://partner.example/7;DNS=seven.partner.example',
  );
  assert((await ask("bad")).code !== 0);
  assert((await curl(edge, "a.example", "--cacert", `${workspace.path}/ca.pem`)).code !== 0);
  const metrics = await edge.sidecar.admin("/metrics");
  assertStringIncludes(metrics, 'mesh_edge_handshakes_total{result="no-certificate"} 1');
  assertStringIncludes(metrics, 'mesh_edge_handshakes_total{result="unknown-ca"} 1');
});

Deno.test("an edge whose certificate cannot be used does not start, and says why", async () => {
  await using workspace = new Workspace();
  const authority = await TestAuthority.root("edge");
  const [one, other] = [await authority.issue({}), await authority.issue({})];
  await write(workspace, "a", { ...one, privateKeyPem: other.privateKeyPem });
  await using sidecar = await TestSidecar.spawn(workspace, {
    service: "edge",
    config: {
      registry: { static: {} },
      gateway: {
        bind: `127.0.0.1:${freePort()}`,
        tls: { cert: "a.pem", key: "a.key" },
        routes: [{ match: { path: "/*" }, to: "web" }],
      },
    },
  });
  assert(await sidecar.process.exited !== 0);
  assertStringIncludes(
    sidecar.process.lines.join("\n"),
    "the private key is not that of the certificate",
  );
});

Deno.test("upstreams.X.tls: origin refuses an endpoint whose certificate the web would not accept", async () => {
  await using workspace = new Workspace();
  await using backend = app();
  await using callers = app();
  const authority = await TestAuthority.root("edge");
  await write(workspace, "a", await authority.issue({ dns: ["localhost"] }));
  const edge = await startEdge(workspace, backend, { cert: "a.pem", key: "a.key" });
  await using _sidecar = edge.sidecar;
  await using caller = await TestSidecar.start(workspace, {
    service: "order-service",
    app: callers.port,
    config: {
      registry: { static: { outside: [`localhost:${edge.port}`] } },
      policy: { upstreams: { outside: { tls: "origin" } } },
    },
  });
  using wire = await Wire.dial(caller.ports.outbound);
  const message = await wire.exchange(get("outside", "/"));
  assertEquals(statusOf(message), 502);
  assertEquals(message.fields.get("x-mesh-reason"), "untrusted-upstream");
});
