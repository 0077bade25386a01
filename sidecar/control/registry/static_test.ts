import { assertEquals } from "@std/assert";
import type { Address } from "../../config/bootstrap.ts";
import type { Endpoint } from "../../snapshot/snapshot.ts";
import { registryContract } from "../../../tests/support/registry_contract.ts";
import { Seen } from "../../../tests/support/seen.ts";
import type { Instance } from "./registry.ts";
import { StaticRegistry } from "./static.ts";

function table(instances: readonly Instance[]): Map<string, readonly Address[]> {
  const services = Map.groupBy(instances, (instance) => instance.service);
  return new Map(
    [...services].map(([name, all]) => [name, all.map(({ host, port }) => ({ host, port }))]),
  );
}

registryContract(
  "StaticRegistry",
  (instances) => {
    const services = table(instances);
    return Promise.resolve({
      open: () => new StaticRegistry(services),
      remove: () => Promise.resolve(),
    });
  },
  { dynamic: false },
);

async function endpointsOf(registry: StaticRegistry, service: string) {
  const seen = new Seen<readonly Endpoint[]>();
  registry.watch(service, seen.add);
  return await seen.until();
}

Deno.test("StaticRegistry names an endpoint by service, host and port, once however often it stands there", async () => {
  const address = { host: "::1", port: 15106 };
  const registry = new StaticRegistry(new Map([["user-service", [address, address]]]));
  assertEquals(await endpointsOf(registry, "user-service"), [
    { id: "user-service-[::1]:15106", host: "::1", port: 15106, tags: [], meta: {} },
  ]);
});

Deno.test("StaticRegistry does not show what is registered", async () => {
  const registry = new StaticRegistry(new Map());
  await registry.register({
    id: "a",
    service: "user-service",
    host: "10.0.0.1",
    port: 15106,
    tags: [],
    meta: {},
  });
  assertEquals(await endpointsOf(registry, "user-service"), []);
});
