import { assertEquals } from "@std/assert";
import { settle } from "../../tests/support/fake_clock.ts";
import { fakeSnapshot } from "../../tests/support/fake_snapshot.ts";
import { MemoryLog } from "../../tests/support/memory_log.ts";
import type { Cluster } from "../snapshot/snapshot.ts";
import { DedicatedPorts } from "./dedicated_ports.ts";
import type { ProxyListener } from "./listener.ts";

/** A port whose last connection is over when the test says so. */
class FakeListener {
  readonly #over = Promise.withResolvers<void>();
  readonly #free = Promise.withResolvers<void>();
  readonly released = this.#free.promise;
  state: "open" | "draining" | "aborted" = "open";

  constructor(readonly name: string, isReleasedAtOnce: boolean) {
    if (isReleasedAtOnce) this.release();
  }

  async drain(): Promise<void> {
    this.state = "draining";
    await this.#over.promise;
    await this.released;
  }

  /** The system gives the address back. */
  release(): void {
    this.#free.resolve();
  }

  abort(): void {
    this.state = "aborted";
    this.finish();
  }

  finish(): void {
    this.#over.resolve();
  }
}

const [A, B] = [9101, 9102].map((port) => ({ host: "127.0.0.1", port }));

function rig({ isReleasedAtOnce = true } = {}) {
  const opened: FakeListener[] = [];
  const taken = new Set<number>();
  const log = new MemoryLog();
  const ports = new DedicatedPorts(({ name, protocol }, { host, port }) => {
    if (taken.has(port)) throw new Error(`${port} is already in use`);
    const isTcp = protocol === "tcp";
    const listener = new FakeListener(
      `${name} at ${host}:${port}${isTcp ? " for tcp" : ""}`,
      isReleasedAtOnce,
    );
    opened.push(listener);
    return listener as unknown as ProxyListener;
  }, log.logger);
  const errors: string[] = [];
  const apply = (
    binds: Record<string, typeof A | undefined>,
    protocol: Cluster["protocol"] = "auto",
  ): void => {
    const upstreams = Object.entries(binds).map(([name, bind]) =>
      [name, bind && { bind, protocol }] as const
    );
    ports.apply(
      fakeSnapshot({
        upstreams: Object.fromEntries(upstreams.map(([name, more]) => [name, more ?? {}])),
      }),
      (error) => errors.push((error as Error).message),
    );
  };
  const open = () => (ports.listeners as unknown as FakeListener[]).map(({ name }) => name);
  return { ports, opened, taken, log, errors, apply, open };
}

Deno.test("DedicatedPorts opens the ports that policy dedicates and no others", () => {
  const { apply, open } = rig();
  apply({ users: A, orders: B, payments: undefined });
  assertEquals(open(), ["users at 127.0.0.1:9101", "orders at 127.0.0.1:9102"]);
});

Deno.test("DedicatedPorts leaves a port alone that stays", () => {
  const { apply, opened } = rig();
  apply({ users: A });
  apply({ users: A, orders: B });
  apply({ users: A });
  assertEquals(opened.map(({ name, state }) => [name, state]), [
    ["users at 127.0.0.1:9101", "open"],
    ["orders at 127.0.0.1:9102", "draining"],
  ]);
});

Deno.test("DedicatedPorts opens a port for another service once the system has given it back", async () => {
  const { apply, opened, open, errors } = rig({ isReleasedAtOnce: false });
  apply({ users: A });
  apply({ orders: A, payments: B });
  assertEquals(open(), ["payments at 127.0.0.1:9102"], "another port need not wait");
  opened[0]!.release();
  await settle();
  assertEquals(open(), ["payments at 127.0.0.1:9102", "orders at 127.0.0.1:9101"]);
  assertEquals([errors, opened[0]!.state], [[], "draining"]);
});

Deno.test("DedicatedPorts opens what the newest snapshot wants of a port that was being given back", async () => {
  const { apply, opened, open } = rig({ isReleasedAtOnce: false });
  apply({ users: A });
  apply({ orders: A });
  apply({ payments: A });
  opened[0]!.release();
  await settle();
  assertEquals(open(), ["payments at 127.0.0.1:9101"]);
  assertEquals(opened.length, 2);
});

Deno.test("DedicatedPorts says when a port that was given back cannot be had after all", async () => {
  const { apply, opened, taken, errors } = rig({ isReleasedAtOnce: false });
  apply({ users: A });
  apply({ orders: A });
  taken.add(9101);
  opened[0]!.release();
  await settle();
  assertEquals(errors, ["9101 is already in use"]);
});

Deno.test("DedicatedPorts opens a port anew whose upstream changes between HTTP and raw TCP", async () => {
  const { apply, opened, open } = rig();
  apply({ users: A });
  apply({ users: A }, "http2");
  assertEquals(opened.length, 1, "any HTTP is the same port");
  apply({ users: A }, "tcp");
  await settle();
  assertEquals(open(), ["users at 127.0.0.1:9101 for tcp"]);
  apply({ users: A }, "http1");
  await settle();
  assertEquals(open(), ["users at 127.0.0.1:9101"]);
  assertEquals(opened.map(({ state }) => state), ["draining", "draining", "open"]);
});

Deno.test("DedicatedPorts says which port it cannot have, opens the others and tries again with the next snapshot", () => {
  const { apply, open, taken, errors } = rig();
  taken.add(9101);
  apply({ users: A, orders: B });
  assertEquals(errors, ["9101 is already in use"]);
  assertEquals(open(), ["orders at 127.0.0.1:9102"]);
  taken.clear();
  apply({ users: A, orders: B });
  assertEquals(open().length, 2);
});

Deno.test("DedicatedPorts logs a port that policy took away under the upstream's name, not the sidecar's", () => {
  const { apply, log } = rig();
  apply({ users: A });
  apply({});
  assertEquals(log.lines.map(({ message, ["upstream"]: upstream }) => [message, upstream]), [
    ["dedicated port closed", "users"],
  ]);
});

Deno.test("DedicatedPorts.drain waits for every port, also for one that policy took away before", async () => {
  const { apply, ports, opened } = rig();
  apply({ users: A, orders: B });
  apply({ orders: B });
  let isDone = false;
  const draining = ports.drain().then(() => isDone = true);
  opened[1]!.finish();
  await settle();
  assertEquals([opened.map(({ state }) => state), isDone], [["draining", "draining"], false]);
  opened[0]!.finish();
  await draining;
});

Deno.test("DedicatedPorts.abort cuts every port, also one that policy took away before", async () => {
  const { apply, ports, opened } = rig();
  apply({ users: A, orders: B });
  apply({ orders: B });
  const draining = ports.drain();
  ports.abort();
  assertEquals(opened.map(({ state }) => state), ["aborted", "aborted"]);
  await draining;
});

Deno.test("DedicatedPorts opens nothing any more once it ends", async () => {
  for (const end of ["drain", "abort"] as const) {
    const { apply, ports, opened } = rig({ isReleasedAtOnce: false });
    apply({ users: A });
    apply({ orders: A });
    const ending = ports[end]();
    apply({ users: B });
    opened[0]!.finish();
    opened[0]!.release();
    await ending;
    await settle();
    assertEquals(opened.length, 1);
  }
});

Deno.test("DedicatedPorts forgets a port that policy took away once it is over", async () => {
  const { apply, ports, opened } = rig();
  for (let i = 0; i < 100; i++) {
    apply({ users: A });
    apply({});
    opened.at(-1)!.finish();
    await settle();
  }
  assertEquals(opened.length, 100);
  for (const listener of opened) listener.state = "open";
  ports.abort();
  assertEquals(opened.filter(({ state }) => state === "aborted"), []);
});
