// The promises of sidecar/control/registry/registry.ts, as one suite that every backend runs.
import { assert, assertEquals } from "@std/assert";
import type { Instance, Registry } from "../../sidecar/control/registry/registry.ts";
import type { Endpoint } from "../../sidecar/snapshot/snapshot.ts";
import { Seen } from "./seen.ts";

/** One backend under test; everything opened on it sees the same instances. */
export interface RegistryBackend {
  /** Another client of the backend. The suite closes it. */
  open(): Registry;
  /** Takes away what the backend needed, after every client was closed. */
  remove(): Promise<void>;
}

export interface RegistryCapabilities {
  /** Whether instances can come and go; false for a table that never changes. */
  readonly dynamic: boolean;
}

/** Makes a backend in which `instances` are known from the start; their ids are SERVICE-HOST:PORT. */
export type CreateBackend = (instances: readonly Instance[]) => Promise<RegistryBackend>;

type Body = (open: () => Registry) => Promise<void>;

/** An instance of the given service as the suite expects to see it again. */
export function exampleInstance(service: string, port: number): Instance {
  const id = `${service}-10.0.0.1:${port}`;
  return { id, service, host: "10.0.0.1", port, tags: [], meta: {} };
}

/** Registers the suite's tests under `name`. */
export function registryContract(
  name: string,
  create: CreateBackend,
  { dynamic }: RegistryCapabilities,
): void {
  const promise = (text: string, instances: readonly Instance[], body: Body) =>
    Deno.test(`${name} ${text}`, async () => await runOn(await create(instances), body));
  promiseAnswers(promise);
  if (dynamic) promiseChanges(promise);
}

type Promiser = (text: string, instances: readonly Instance[], body: Body) => void;

async function runOn(backend: RegistryBackend, body: Body): Promise<void> {
  const opened: Registry[] = [];
  try {
    await body(() => {
      const registry = backend.open();
      opened.push(registry);
      return registry;
    });
  } finally {
    await Promise.all(opened.map((registry) => registry.close()));
    await backend.remove();
  }
}

function watch(registry: Registry, service: string): Seen<readonly Endpoint[]> {
  const seen = new Seen<readonly Endpoint[]>();
  registry.watch(service, seen.add);
  return seen;
}

function ids(endpoints: readonly Endpoint[]): string[] {
  return endpoints.map((endpoint) => endpoint.id);
}

const USER = [9, 10, 8].map((port) => exampleInstance("user-service", 15000 + port));
const SORTED = [
  "user-service-10.0.0.1:15008",
  "user-service-10.0.0.1:15009",
  "user-service-10.0.0.1:15010",
];

function hasAll(endpoints: readonly Endpoint[]): boolean {
  return endpoints.length === USER.length;
}

function promiseAnswers(promise: Promiser): void {
  promise("reports a service nobody announced as [] exactly once", USER, async (open) => {
    const registry = open();
    const unknown = watch(registry, "no-such-service");
    assertEquals(await unknown.until(), []);
    await watch(registry, "user-service").until(hasAll);
    assertEquals(unknown.all, [[]]);
  });

  promise("reports endpoints sorted by id and frozen to the bottom", USER, async (open) => {
    const endpoints = await watch(open(), "user-service").until(hasAll);
    assertEquals(ids(endpoints), SORTED);
    assert(Object.isFrozen(endpoints));
    for (const endpoint of endpoints) {
      assert(Object.isFrozen(endpoint));
      assert(Object.isFrozen(endpoint.tags) && Object.isFrozen(endpoint.meta));
    }
  });

  promise("never reports before watch has returned", USER, async (open) => {
    const registry = open();
    await watch(registry, "user-service").until(hasAll);
    let hasReturned = false;
    const seen = new Seen<boolean>();
    registry.watch("user-service", () => seen.add(hasReturned));
    hasReturned = true;
    assertEquals(await seen.until(), true);
  });

  promise("reports to every watch of a service but the disposed ones", USER, async (open) => {
    const registry = open();
    const disposed = new Seen<readonly Endpoint[]>();
    const subscription = registry.watch("user-service", disposed.add);
    subscription[Symbol.dispose]();
    subscription[Symbol.dispose]();
    const both = [watch(registry, "user-service"), watch(registry, "user-service")];
    for (const seen of both) assertEquals(ids(await seen.until(hasAll)), SORTED);
    assertEquals(disposed.all, []);
  });

  promise("goes on when a listener throws", USER, async (open) => {
    const registry = open();
    const thrown = new Seen<true>();
    registry.watch("user-service", () => {
      thrown.add(true);
      throw new Error("a bug of the listener");
    });
    const seen = watch(registry, "user-service");
    await thrown.until();
    assertEquals(ids(await seen.until(hasAll)), SORTED);
  });

  promise("ends every watch at close, which may be called twice", USER, async (open) => {
    const registry = open();
    await watch(registry, "user-service").until(hasAll);
    const late = watch(registry, "user-service");
    await registry.close();
    await registry.close();
    const reports = late.all.length;
    await watch(open(), "user-service").until(hasAll);
    assertEquals(late.all.length, reports);
  });

  promise("lets an instance be registered and deregistered twice", [], async (open) => {
    const registration = await open().register(exampleInstance("order-service", 15206));
    await registration.deregister();
    await registration.deregister();
  });
}

function promiseChanges(promise: Promiser): void {
  promise("reports an instance with everything it announced", [], async (open) => {
    const seen = watch(open(), "order-service");
    await seen.until();
    const tags = ["v1", "Größe"];
    const meta = { zone: "a", ["__proto__"]: "text", weight: "3" };
    await open().register({ ...exampleInstance("order-service", 15206), tags, meta });
    const [endpoint] = await seen.until((endpoints) => endpoints.length === 1);
    const id = "order-service-10.0.0.1:15206";
    assertEquals(endpoint, { id, host: "10.0.0.1", port: 15206, tags, meta });
  });

  promise("takes out what is deregistered and keeps the rest", USER, async (open) => {
    const seen = watch(open(), "user-service");
    await seen.until(hasAll);
    const registration = await open().register(exampleInstance("user-service", 15011));
    await seen.until((endpoints) => endpoints.length === 4);
    await registration.deregister();
    assertEquals(ids(await seen.until(hasAll)), SORTED);
  });

  promise("replaces an instance whose id is registered again", [], async (open) => {
    const seen = watch(open(), "order-service");
    const registry = open();
    const first = await registry.register(exampleInstance("order-service", 15206));
    await seen.until((endpoints) => endpoints.length === 1);
    const again = { ...exampleInstance("order-service", 15206), port: 15299 };
    await registry.register(again);
    await first.deregister();
    const endpoints = await seen.until((all) => all[0]?.port === 15299);
    assertEquals(ids(endpoints), [again.id]);
  });

  promise("keeps an instance whose superseded registration is deregistered", [], async (open) => {
    const registry = open();
    const first = await registry.register(exampleInstance("order-service", 15206));
    await registry.register(exampleInstance("order-service", 15206));
    await first.deregister();
    const seen = watch(open(), "order-service");
    assertEquals((await seen.until()).length, 1);
  });

  promise("reports nothing when what changed is not what is watched", USER, async (open) => {
    const registry = open();
    const users = watch(registry, "user-service");
    await users.until(hasAll);
    const reports = users.all.length;
    const orders = watch(registry, "order-service");
    await open().register(exampleInstance("order-service", 15206));
    await orders.until((endpoints) => endpoints.length === 1);
    assertEquals(users.all.length, reports);
  });

  promise("does not deregister at close", [], async (open) => {
    const announcer = open();
    await announcer.register(exampleInstance("order-service", 15206));
    await announcer.close();
    assertEquals((await watch(open(), "order-service").until()).length, 1);
  });
}
