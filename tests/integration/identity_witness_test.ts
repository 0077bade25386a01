// Who a real sidecar lets in and whom it takes for the service meant, with openssl and curl as the other end: the right
// certificate gets an answer, each wrong one is refused and named in the log and in a metric.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type LeafOptions, TestAuthority } from "../support/certificates.ts";
import { freePort } from "./support/ports.ts";
import { TestProcess } from "./support/processes.ts";
import { run } from "./support/programs.ts";
import { RawApp } from "./support/raw_app.ts";
import { TestSidecar } from "./support/sidecar.ts";
import { idOf } from "./support/tls.ts";
import { until } from "./support/until.ts";
import { answer, get, type Head, statusOf, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

const HOUR_MS = 3_600_000;
const hours = (count: number) => new Date(Date.now() + count * HOUR_MS);

const STRICT = { identity: { mode: "strict" } };

interface Hostile {
  readonly what: string;
  readonly leaf: LeafOptions;
  readonly reason: string;
  /** What the log says of it beside the reason. */
  readonly says: string;
  readonly isOfAnotherAuthority?: boolean;
}

/** Wrong whichever end shows it; `service` is who it says it is. */
function hostiles(service: string): readonly Hostile[] {
  const uris = [idOf(service)];
  const foreign = `spiffe://other.local/ns/default/svc/${service}`;
  return [
    {
      what: "of a wrong CA",
      leaf: { uris },
      reason: "unknown-ca",
      says: idOf(service),
      isOfAnotherAuthority: true,
    },
    {
      what: "that has expired",
      leaf: { uris, notBefore: hours(-3), notAfter: hours(-1) },
      reason: "expired",
      says: idOf(service),
    },
    {
      what: "that is not yet valid",
      leaf: { uris, notBefore: hours(1), notAfter: hours(3) },
      reason: "not-yet-valid",
      says: idOf(service),
    },
    {
      what: "of a wrong trust domain",
      leaf: { uris: [foreign] },
      reason: "wrong-trust-domain",
      says: foreign,
    },
    {
      what: "whose SPIFFE id is none",
      leaf: { uris: [`spiffe://mesh.local/${service}`] },
      reason: "bad-identity",
      says: `spiffe://mesh.local/${service}`,
    },
  ];
}

/** An authority whose root the sidecars of the workspace take for theirs, and one that they do not know. */
async function authorities(workspace: Workspace) {
  const uris = ["spiffe://mesh.local"];
  const root = await TestAuthority.root("mesh root", { uris });
  await Deno.mkdir(`${workspace.path}/.mesh/ca`, { recursive: true });
  await workspace.write(".mesh/ca/root.pem", await root.pairPem());
  await workspace.write("root.pem", root.certificatePem);
  const other = await TestAuthority.root("mesh root", { uris });
  /** Writes what the case says, certificate and key in one file; returns its path. */
  const write = async (entry: Pick<Hostile, "leaf" | "isOfAnotherAuthority">): Promise<string> => {
    const issuer = entry.isOfAnotherAuthority === true ? other : root;
    const { certificatePem, privateKeyPem } = await issuer.issue(entry.leaf);
    const name = `${crypto.randomUUID()}.pem`;
    await workspace.write(name, certificatePem + privateKeyPem);
    return `${workspace.path}/${name}`;
  };
  return { rootPath: `${workspace.path}/root.pem`, write };
}

function says(sidecar: TestSidecar, ...parts: readonly string[]): Promise<boolean> {
  return until(
    `a line with ${parts.join(" and ")}`,
    () => sidecar.process.lines.some((line) => parts.every((part) => line.includes(part))),
  );
}

async function refusals(sidecar: TestSidecar, reason: string): Promise<number> {
  const line = `mesh_inbound_handshakes_total{result="${reason}"} `;
  const text = await sidecar.admin("/metrics");
  return Number(text.split("\n").find((each) => each.startsWith(line))?.slice(line.length) ?? 0);
}

Deno.test("a strict sidecar answers openssl and curl with the right certificate, and names what is wrong with another", async (t) => {
  await using workspace = new Workspace();
  let asked = 0;
  await using app = new RawApp(({ wire }) => {
    asked++;
    return wire.write(answer("hello from the app"));
  });
  const { rootPath, write } = await authorities(workspace);
  await using callee = await TestSidecar.start(workspace, {
    service: "callee",
    app: app.port,
    config: STRICT,
  });
  const address = `127.0.0.1:${callee.ports.inbound}`;
  const right = await write({ leaf: { uris: [idOf("caller")] } });

  /** Its output holds the handshake and, where there is one, the answer. */
  const openssl = (certificate: string | undefined, alpn: string) => {
    const own = certificate === undefined ? "" : `-cert ${certificate} -key ${certificate}`;
    const command = `openssl s_client -connect ${address} -CAfile ${rootPath} -alpn ${alpn} ${own}`;
    const request = "GET / HTTP/1.1\\r\\nhost: callee\\r\\nconnection: close\\r\\n\\r\\n";
    return run("sh", "-c", `printf '${request}' | ${command} -ign_eof 2>&1`);
  };
  const curl = (version: string, ...own: readonly string[]) => {
    // A SPIFFE certificate names no host; whether the chain is right openssl says.
    const always = ["-sS", "--insecure", "--max-time", "20", "-w", " over HTTP/%{http_version}"];
    return run("curl", ...always, version, ...own, "-H", "host: callee", `https://${address}/`);
  };

  await t.step(
    "openssl: the chain is good, TLS 1.3 and the ALPN offered, and an answer",
    async () => {
      const { text } = await openssl(right, "http/1.1");
      assertStringIncludes(text, "New, TLSv1.3, Cipher is TLS_");
      assertStringIncludes(text, "ALPN protocol: http/1.1");
      assertStringIncludes(text, "Verify return code: 0 (ok)");
      assertStringIncludes(text, "HTTP/1.1 200 OK");
      assertStringIncludes(text, "hello from the app");
      assertStringIncludes((await openssl(undefined, "h2")).text, "ALPN protocol: h2");
      const old = await run(
        "sh",
        "-c",
        `openssl s_client -connect ${address} -tls1_2 -cert ${right} </dev/null 2>&1`,
      );
      assertStringIncludes(old.text, "Cipher is (NONE)");
    },
  );

  await t.step("curl: either version is answered", async () => {
    for (const [flag, version] of [["--http2", "2"], ["--http1.1", "1.1"]] as const) {
      const { text, errors } = await curl(flag, "--cert", right, "--key", right);
      assertEquals([text, errors], [`hello from the app over HTTP/${version}`, ""]);
    }
  });

  const cases: readonly (Hostile | Omit<Hostile, "leaf">)[] = [
    { what: "that is not there", reason: "no-certificate", says: "no certificate" },
    {
      what: "without clientAuth",
      leaf: { uris: [idOf("caller")], usages: ["server"] },
      reason: "no-client-auth",
      says: idOf("caller"),
    },
    ...hostiles("caller"),
  ];
  for (const entry of cases) {
    await t.step(`a certificate ${entry.what} is refused as ${entry.reason}`, async () => {
      const [before, counted] = [asked, await refusals(callee, entry.reason)];
      const path = "leaf" in entry ? await write(entry) : undefined;
      const own = path === undefined ? [] : ["--cert", path, "--key", path];
      const { code, text } = await curl("--http1.1", ...own);
      assert(code !== 0 && !text.includes("hello"), `curl ended with ${code}: ${text}`);
      await says(callee, "was refused", entry.reason, entry.says, "127.0.0.1:");
      await until("count", async () => await refusals(callee, entry.reason) === counted + 1);
      assertEquals((await openssl(path, "http/1.1")).text.includes("hello"), false);
      await until("count", async () => await refusals(callee, entry.reason) === counted + 2);
      assertEquals(asked, before, "the app heard nothing of it");
    });
  }
});

/** openssl as a service that wants a client certificate and answers each request with what it saw of the connection. */
async function opensslServer(
  workspace: Workspace,
  port: number,
  certificate: string,
): Promise<AsyncDisposable> {
  const own = ["-cert", certificate, "-key", certificate, "-alpn", "http/1.1", "-www"];
  const peers = ["-CAfile", `${workspace.path}/root.pem`, "-Verify", "2", "-verify_return_error"];
  const args = ["s_server", "-accept", `127.0.0.1:${port}`, ...own, ...peers];
  const process = new TestProcess({ command: "openssl", args, cwd: workspace.path });
  try {
    await until("openssl listens", () => process.lines.some((line) => line.includes("ACCEPT")));
    return process;
  } catch (error) {
    await process[Symbol.asyncDispose]();
    throw error;
  }
}

Deno.test("a strict sidecar gives its requests to who proves to be the service meant, and names who else answered", async (t) => {
  await using workspace = new Workspace();
  await using app = new RawApp(({ wire }) => wire.write(answer("caller")));
  const { write } = await authorities(workspace);
  const uris = [idOf("payment")];
  const cases: readonly Hostile[] = [
    {
      what: "without serverAuth",
      leaf: { uris, usages: ["client"] },
      reason: "no-server-auth",
      says: idOf("payment"),
    },
    {
      what: "of another service",
      leaf: { uris: [idOf("user")] },
      reason: "wrong-identity",
      says: `${idOf("user")}, and ${idOf("payment")} was meant`,
    },
    ...hostiles("payment"),
  ];

  const port = freePort();
  await using caller = await TestSidecar.start(workspace, {
    service: "caller",
    app: app.port,
    config: { ...STRICT, registry: { static: { payment: [`127.0.0.1:${port}`] } } },
  });
  const ask = async (certificate: string): Promise<Head & { readonly page: string }> => {
    await using _server = await opensslServer(workspace, port, certificate);
    using wire = await Wire.dial(caller.ports.outbound);
    await wire.write(get("payment", "/", "connection: close\r\n"));
    const head = await wire.readHead();
    assert(head !== null, "no answer");
    let page = "";
    for (let bytes; (bytes = await wire.read()) !== null;) page += new TextDecoder().decode(bytes);
    return { ...head, page };
  };

  await t.step("the right one is asked, by TLS 1.3, and sees our certificate", async () => {
    const head = await ask(await write({ leaf: { uris } }));
    assertEquals(statusOf(head), 200);
    assertStringIncludes(head.page, "New, TLSv1.3, Cipher is TLS_");
    assertStringIncludes(head.page, "Client certificate");
    assertStringIncludes(head.page, idOf("caller"));
  });

  for (const [index, entry] of cases.entries()) {
    await t.step(`a certificate ${entry.what} is refused as ${entry.reason}`, async () => {
      const head = await ask(await write(entry));
      assertEquals(statusOf(head), 502);
      assertEquals(head.fields.get("x-mesh-reason"), "untrusted-upstream");
      assertEquals(head.page.includes("TLSv1.3"), false);
      await says(caller, `${entry.reason}: `, entry.says);
      assertEquals(await untrusted(caller), index + 1);
    });
  }
});

async function untrusted(sidecar: TestSidecar): Promise<number> {
  const counted = /^mesh_requests_total\{.*reason="untrusted-upstream".*\} (\d+)$/m;
  return Number(counted.exec(await sidecar.admin("/metrics"))?.[1] ?? 0);
}
