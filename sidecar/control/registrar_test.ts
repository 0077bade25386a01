import { assertEquals } from "@std/assert";
import { settle } from "../../tests/support/fake_clock.ts";
import { FakeRegistry } from "../../tests/support/fake_registry.ts";
import { MemoryLog } from "../../tests/support/memory_log.ts";
import { outcome } from "../../tests/support/scripted_upstream.ts";
import { Registrar } from "./registrar.ts";

const INSTANCE = {
  id: "user-service-15006",
  service: "user-service",
  host: "10.0.0.5",
  port: 15006,
  tags: ["v1"],
  meta: {},
};
const REGISTER = "register user-service-15006";
const DEREGISTER = "deregister user-service-15006";

function rig() {
  const registry = new FakeRegistry();
  const log = new MemoryLog();
  return { registry, log, registrar: new Registrar(registry, INSTANCE, log.logger) };
}

/** Calls of a registry that takes its time, each finished by `finish`. */
function slow(registry: FakeRegistry) {
  const pending: PromiseWithResolvers<void>[] = [];
  registry.onCall = () => {
    const call = Promise.withResolvers<void>();
    pending.push(call);
    return call.promise;
  };
  return async () => {
    pending.shift()!.resolve();
    await settle();
  };
}

Deno.test("Registrar registers nothing before the app is well", async () => {
  const { registry, registrar } = rig();
  registrar.setHealthy(false);
  await settle();
  assertEquals([registry.calls, registrar.isRegistered], [[], false]);
});

Deno.test("Registrar is in the registry exactly while the app is well", async () => {
  const { registry, registrar, log } = rig();
  for (const isHealthy of [true, true, false, false, true]) {
    registrar.setHealthy(isHealthy);
    await settle();
    assertEquals(registrar.isRegistered, isHealthy);
  }
  assertEquals(registry.calls.filter((call) => !call.endsWith("done")), [
    REGISTER,
    DEREGISTER,
    REGISTER,
  ]);
  assertEquals(log.messages("info"), ["registered", "deregistered", "registered"]);
});

Deno.test("Registrar does one change after the other, never two at once", async () => {
  const { registry, registrar } = rig();
  const finish = slow(registry);
  registrar.setHealthy(true);
  await settle();
  registrar.setHealthy(false);
  await settle();
  assertEquals(registry.calls, [REGISTER]);
  await finish();
  assertEquals(registry.calls, [REGISTER, `${REGISTER} done`, DEREGISTER]);
  await finish();
  assertEquals(registrar.isRegistered, false);
});

Deno.test("Registrar does what was wished last, and skips what was wished between", async () => {
  const { registry, registrar } = rig();
  const finish = slow(registry);
  for (const isHealthy of [true, false, true, false, true]) registrar.setHealthy(isHealthy);
  await settle();
  await finish();
  assertEquals(registry.calls, [REGISTER, `${REGISTER} done`]);
  assertEquals(registrar.isRegistered, true);
});

Deno.test("Registrar.stop takes the instance out and is over when the registry knows", async () => {
  const { registry, registrar } = rig();
  registrar.setHealthy(true);
  await settle();
  const finish = slow(registry);
  const stopped = registrar.stop();
  assertEquals((await outcome(stopped)).is, "pending");
  await finish();
  await stopped;
  assertEquals([registry.calls.at(-1), registrar.isRegistered], [`${DEREGISTER} done`, false]);
});

Deno.test("Registrar.stop is for good: an app that is well afterwards stays out", async () => {
  const { registry, registrar } = rig();
  registrar.setHealthy(true);
  await settle();
  await registrar.stop();
  registrar.setHealthy(true);
  await settle();
  await registrar.stop();
  assertEquals(registry.calls.filter((call) => call === REGISTER).length, 1);
  assertEquals(registrar.isRegistered, false);
});

Deno.test("Registrar.stop while a registration is under way waits for it and takes it back", async () => {
  const { registry, registrar } = rig();
  const finish = slow(registry);
  registrar.setHealthy(true);
  await settle();
  const stopped = registrar.stop();
  await finish();
  await finish();
  await stopped;
  assertEquals(registry.calls, [REGISTER, `${REGISTER} done`, DEREGISTER, `${DEREGISTER} done`]);
});

Deno.test("Registrar.stop of an instance that was never in is over at once", async () => {
  const { registry, registrar } = rig();
  await registrar.stop();
  assertEquals(registry.calls, []);
});

Deno.test("Registrar logs a registry that refuses, and tries again at the next change", async () => {
  const { registry, registrar, log } = rig();
  registry.onCall = () => Promise.reject(new Error("no such file"));
  registrar.setHealthy(true);
  await settle();
  assertEquals(registrar.isRegistered, false);
  assertEquals(log.messages("error"), ["the registry did not take a change"]);
  registry.onCall = () => Promise.resolve();
  registrar.setHealthy(false);
  registrar.setHealthy(true);
  await settle();
  assertEquals(registrar.isRegistered, true);
});

Deno.test("Registrar keeps out what an operator wants out, however well the app is", async () => {
  const { registry, registrar } = rig();
  registrar.setHealthy(true);
  await registrar.setMaintenance(true);
  assertEquals([registrar.isRegistered, registrar.isInMaintenance], [false, true]);
  registrar.setHealthy(false);
  registrar.setHealthy(true);
  await settle();
  assertEquals(registrar.isRegistered, false);
  await registrar.setMaintenance(false);
  assertEquals([registrar.isRegistered, registrar.isInMaintenance], [true, false]);
  await registrar.stop();
  await registrar.setMaintenance(false);
  assertEquals([registrar.isRegistered, registry.calls.at(-1)], [false, `${DEREGISTER} done`]);
});
