// Certificates and roots that are replaced under steady load over HTTP and gRPC: nobody may notice. The steps of a roll are those
// of `sidecar ca`, as an operator takes them.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { BusyMesh, generation } from "./support/busy_mesh.ts";
import { run } from "./support/programs.ts";
import { SIDECAR, TestSidecar } from "./support/sidecar.ts";
import { until } from "./support/until.ts";
import { Workspace } from "./support/workspace.ts";

/** `sidecar ca ...` in the directory of the test. */
async function ca(workspace: Workspace, ...args: string[]): Promise<string> {
  const command = 'cd "$0" && exec "$@"';
  const { code, text, errors } = await run(
    "sh",
    ...["-c", command, workspace.path, SIDECAR, "ca", ...args],
  );
  assertEquals(code, 0, errors);
  return text;
}

Deno.test("ten rotations and a roll of the root lose no request, over HTTP and gRPC", async () => {
  await using workspace = new Workspace();
  await using mesh = await BusyMesh.start(workspace, () => ({
    mode: "strict",
    selfSigned: { directory: ".mesh/ca", leafLife: "9s" },
  }));
  await mesh.renewed(3);
  for (const step of ["begin", "switch", "finish"]) {
    await ca(workspace, "roll", step);
    await mesh.renewed();
  }
  await mesh.renewed(4);
  await mesh.finish();
  const shown: { readonly file: string }[] = JSON.parse(await ca(workspace, "show", "--json"));
  assertEquals(shown.map(({ file }) => file), [".mesh/ca/root.pem"]);
});

Deno.test("certificates from files are exchanged under load, and bad ones are not taken", async (t) => {
  await using workspace = new Workspace();
  const services = ["order-service", "user-service"];
  let hours = 0;
  const issue = async () => {
    hours++;
    for (const service of services) {
      const out = ["--ttl", `${hours}h`, "--out", `.mesh/${service}`];
      await ca(workspace, "issue", "--service", service, ...out);
    }
  };
  await ca(workspace, "init");
  await issue();
  await using mesh = await BusyMesh.start(workspace, (service) => ({
    files: {
      certificate: `.mesh/${service}/certificate.pem`,
      key: `.mesh/${service}/key.pem`,
      trustBundle: `.mesh/${service}/trust.pem`,
    },
  }));
  const [orders] = mesh.sidecars as [TestSidecar];
  /** New files for both, which are in force when their end is. */
  const exchange = async () => {
    await issue();
    for (const [index, service] of services.entries()) {
      const file = `.mesh/${service}/certificate.pem`;
      const [{ notAfter }] = JSON.parse(await ca(workspace, "show", "--json", file));
      const line = `mesh_identity_expiry_timestamp_seconds ${Date.parse(notAfter) / 1000}\n`;
      await until(
        `the new certificate of ${service}`,
        async () => (await mesh.sidecars[index]!.admin("/metrics")).includes(line),
      );
    }
  };
  const said = (text: string) =>
    until(text, () => orders.process.lines.some((line) => line.includes(text)));

  await t.step("new files are new certificates", async () => {
    for (let turn = 0; turn < 2; turn++) await exchange();
  });

  await t.step("the root is rolled: files of the next one, which all trust by then", async () => {
    for (const step of ["begin", "switch", "finish"]) {
      await ca(workspace, "roll", step);
      await exchange();
    }
  });

  await t.step(
    "what is broken, of somebody else or expired stays out, and the log says why",
    async () => {
      const own = ".mesh/order-service";
      const good = await Deno.readTextFile(`${workspace.path}/${own}/certificate.pem`);
      const before = await generation(orders);
      await workspace.write(`${own}/certificate.pem`, "garbage");
      await said(`${own}/certificate.pem: there is no certificate in it`);
      const other = await Deno.readTextFile(`${workspace.path}/.mesh/user-service/certificate.pem`);
      await workspace.write(`${own}/certificate.pem`, other);
      await said("the private key is not that of the certificate");
      assertEquals(await generation(orders), before);
      const metrics = await orders.admin("/metrics");
      assertStringIncludes(metrics, "mesh_identity_renewal_failing 1");
      await workspace.write(`${own}/certificate.pem`, good);
      await until(
        "all is well",
        async () => (await orders.admin("/metrics")).includes("mesh_identity_renewal_failing 0"),
      );
    },
  );

  await mesh.finish();
});

Deno.test("a sidecar whose identity files are not there, or not its own, does not start and says so", async () => {
  await using workspace = new Workspace();
  const files = {
    certificate: ".mesh/x/certificate.pem",
    key: ".mesh/x/key.pem",
    trustBundle: ".mesh/x/trust.pem",
  };
  const ending = async () => {
    await using sidecar = await TestSidecar.spawn(workspace, {
      service: "user-service",
      app: 1,
      config: { identity: { files } },
    });
    const code = await sidecar.process.exited;
    return { code, text: sidecar.process.lines.join("\n") };
  };
  const without = await ending();
  assertEquals(without.code, 69, without.text);
  assertStringIncludes(without.text, ".mesh/x/certificate.pem: there is no such file");
  await ca(workspace, "init");
  await ca(workspace, "issue", "--service", "order-service", "--out", ".mesh/x");
  const other = await ending();
  assertEquals(other.code, 69, other.text);
  assertStringIncludes(
    other.text,
    "the certificate is not for spiffe://mesh.local/ns/default/svc/user-service alone",
  );
});
