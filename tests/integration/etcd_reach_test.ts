// An etcd that wants TLS, a client certificate and a password; and a command line that has them.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { TestAuthority } from "../support/certificates.ts";
import { Etcd, NEEDS_ETCD } from "./support/etcd.ts";
import { TestProcess } from "./support/processes.ts";
import { RawApp } from "./support/raw_app.ts";
import { SIDECAR, TestSidecar } from "./support/sidecar.ts";
import { until } from "./support/until.ts";
import { answer, get, statusOf, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

const POLICY =
  "upstreams: { user-service: { fault: { abort: { status: 418, percent: 100% } } } }\n";

Deno.test({
  name: "etcd is reached over TLS with a client certificate, and refuses whoever has none",
  ...NEEDS_ETCD,
  async fn() {
    await using workspace = new Workspace();
    const authority = await TestAuthority.root("etcd");
    const files = { ca: "etcd-ca.pem", certificate: "etcd.pem", key: "etcd-key.pem" };
    const { certificatePem, privateKeyPem } = await authority.issue({
      dns: ["localhost"],
      ips: ["127.0.0.1"],
    });
    await workspace.write(files.ca, authority.certificatePem);
    await workspace.write(files.certificate, certificatePem);
    await workspace.write(files.key, privateKeyPem);
    const paths = Object.fromEntries(
      Object.entries(files).map(([name, file]) => [name, join(workspace.path, file)]),
    ) as typeof files;
    await using etcd = await Etcd.start(workspace, { tls: paths });
    await workspace.write("policy.yaml", POLICY);
    const access = ["--etcd", etcd.endpoints[0]!, "--ca", files.ca, "--server-name", "localhost"];
    const own = ["--certificate", files.certificate, "--key", files.key];
    const run = async (...args: string[]) => {
      const process = new TestProcess({ command: SIDECAR, args, cwd: workspace.path });
      return { code: await process.exited, output: process.lines.join("\n") };
    };
    const put = ["policy", "put", "order-service", "policy.yaml", "--yes", ...access];
    const stranger = await run(...put);
    assertEquals(stranger.code, 69, stranger.output);
    const friend = await run(...put, ...own);
    assertEquals(friend.code, 0, friend.output);

    await using app = new RawApp(({ wire }) => wire.write(answer("ok")));
    await using sidecar = await TestSidecar.start(workspace, {
      service: "order-service",
      app: app.port,
      config: {
        registry: { static: { "user-service": [`127.0.0.1:${app.port}`] } },
        policySource: { etcd: { endpoints: etcd.endpoints, serverName: "localhost", ...files } },
      },
    });
    using wire = await Wire.dial(sidecar.ports.outbound);
    assertEquals(statusOf(await wire.exchange(get("user-service", "/"))), 418);
  },
});

Deno.test({
  name:
    "etcd asks for a password: a wrong one is told and kept out of the log, the right one works",
  ...NEEDS_ETCD,
  async fn() {
    await using workspace = new Workspace();
    await using etcd = await Etcd.start(workspace);
    await etcd.protect("s3cret-of-root");
    await using app = new RawApp(({ wire }) => wire.write(answer("ok")));
    const start = (password: string) =>
      TestSidecar.start(workspace, {
        service: "order-service",
        app: app.port,
        config: {
          registry: { static: { "user-service": [`127.0.0.1:${app.port}`] } },
          policySource: {
            etcd: { endpoints: etcd.endpoints, username: "root", password: "${ETCD_PASSWORD}" },
          },
        },
        env: { ETCD_PASSWORD: password },
      });
    await workspace.write("policy.yaml", POLICY);
    const process = new TestProcess({
      command: SIDECAR,
      args: [
        ...["policy", "put", "order-service", "policy.yaml", "--yes"],
        ...["--etcd", etcd.endpoints[0]!, "--username", "root"],
      ],
      cwd: workspace.path,
      env: { ETCD_PASSWORD: "s3cret-of-root" },
    });
    assertEquals(await process.exited, 0, process.lines.join("\n"));
    const status = async (sidecar: TestSidecar) => {
      using wire = await Wire.dial(sidecar.ports.outbound);
      return statusOf(await wire.exchange(get("user-service", "/")));
    };
    {
      await using wrong = await start("not-the-s3cret");
      assertEquals(await status(wrong), 200);
      const log = wrong.process.lines.join("\n");
      assertStringIncludes(log, "authentication failed");
      assertEquals(log.includes("not-the-s3cret"), false);
    }
    await using right = await start("s3cret-of-root");
    await until("the policy", async () => (await status(right)) === 418);
  },
});
