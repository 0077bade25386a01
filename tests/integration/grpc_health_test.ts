// An app that speaks gRPC alone is asked by grpc.health.v1, and is in the registry only while it says that it serves.
import { assert, assertEquals } from "@std/assert";
import { GrpcApp } from "./support/grpc_app.ts";
import { spawnBeside } from "./support/grpc_mesh.ts";
import { until } from "./support/until.ts";
import { Workspace } from "./support/workspace.ts";

for (const service of ["", "test.Calls"]) {
  const what = service === "" ? "its server" : `its service ${service}`;
  Deno.test(`an app is registered while ${what} is SERVING, and only then`, async () => {
    await using workspace = new Workspace();
    using app = await GrpcApp.listen({});
    app.health = "NOT_SERVING";
    const options = { service: "callee", grpc: app.port, health: { grpc: service } };
    await using sidecar = await spawnBeside(workspace, options);
    await until("some checks", () => app.healthChecks.length > 2);
    assertEquals((await sidecar.snapshot()).isRegistered, false);
    assertEquals(await workspace.registered(), []);
    app.health = "SERVING";
    await sidecar.registered();
    assertEquals((await workspace.registered()).length, 1);
    app.health = "NOT_SERVING";
    await until("its leaving", async () => (await workspace.registered()).length === 0);
    app.health = "SERVING";
    await until("its return", async () => (await workspace.registered()).length === 1);
    assert(app.healthChecks.every((asked) => asked === service));
  });
}
