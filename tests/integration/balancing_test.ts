// Weights, subsets and splits over real sidecars, as their instances announce them.
import { assert, assertEquals } from "@std/assert";
import { RawApp } from "./support/raw_app.ts";
import { TestSidecar } from "./support/sidecar.ts";
import { answer, get, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

const SERVICE = "user-service";

interface Instance {
  readonly name: string;
  readonly weight?: number;
  readonly version?: string;
  readonly tags?: readonly string[];
}

/** Calls by a caller with this policy; how many each instance took. */
async function shares(
  instances: readonly Instance[],
  policies: readonly {
    readonly policy: Readonly<Record<string, unknown>>;
    readonly fields?: string;
  }[],
): Promise<Record<string, number>[]> {
  await using workspace = new Workspace();
  await using stack = new AsyncDisposableStack();
  const ports: number[] = [];
  for (const { name, ...more } of instances) {
    const app = stack.use(new RawApp(({ wire }) => wire.write(answer(name))));
    const health = { interval: "200ms" };
    const service = { name: SERVICE, ...more, app: { http: `127.0.0.1:${app.port}`, health } };
    const sidecar = stack.use(
      await TestSidecar.start(workspace, { service: SERVICE, app: app.port, config: { service } }),
    );
    ports.push(sidecar.ports.inbound);
  }
  await workspace.write("policy.yaml", "{}");
  const app = stack.use(new RawApp(({ wire }) => wire.write(answer("caller"))));
  const results: Record<string, number>[] = [];
  for (const { policy, fields = "" } of policies) {
    await using caller = await TestSidecar.start(workspace, {
      service: "order-service",
      app: app.port,
      config: { policy: { upstreams: { [SERVICE]: policy } } },
    });
    await caller.sees(SERVICE, ports);
    using wire = await Wire.dial(caller.ports.outbound);
    const taken: Record<string, number> = {};
    for (let call = 0; call < 600; call++) {
      const { body } = await wire.exchange(get(SERVICE, "/", fields));
      taken[body] = (taken[body] ?? 0) + 1;
    }
    results.push(taken);
  }
  return results;
}

Deno.test("instances take calls by the weight that they announce", async () => {
  const instances = [
    { name: "one", weight: 1 },
    { name: "two", weight: 2 },
    { name: "three", weight: 3 },
  ];
  const [turns, drawn] = await shares(instances, [
    { policy: {} },
    { policy: { loadBalancer: { algorithm: "random" } } },
  ]);
  assertEquals(turns, { one: 100, two: 200, three: 300 });
  const expected: Record<string, number> = { one: 100, two: 200, three: 300 };
  const chiSquare = Object.entries(expected)
    .reduce((sum, [name, count]) => sum + ((drawn?.[name] ?? 0) - count) ** 2 / count, 0);
  // Two degrees of freedom; once in ten thousand runs it would be more.
  assert(chiSquare < 18.4, `${chiSquare} ${JSON.stringify(drawn)}`);
});

Deno.test("subsets by version and tag take their part of a split, and the requests that name them", async () => {
  const instances = [
    { name: "old-1", version: "v1" },
    { name: "old-2", version: "v1" },
    { name: "new", version: "v2", tags: ["canary"] },
  ];
  const subsets = { stable: { version: "v1" }, canary: { tags: ["canary"] } };
  const split = [
    { subset: "canary", weight: 0, headers: { "x-beta": "*" } },
    { subset: "stable", weight: 90 },
    { subset: "canary", weight: 10 },
  ];
  const [weighted, named] = await shares(instances, [
    { policy: { subsets, split } },
    { policy: { subsets, split }, fields: "x-beta: 1\r\n" },
  ]);
  const { "old-1": first = 0, "old-2": second = 0, new: canary = 0 } = weighted!;
  // 60 expected, by chance; four standard deviations are 30.
  assert(canary > 30 && canary < 90, `${canary}`);
  assert(Math.abs(first - second) <= 1, `${first} and ${second}`);
  assertEquals(named, { new: 600 });
});
