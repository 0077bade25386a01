// `deno task demo` as a person runs it: on its real ports, from the first line to Ctrl-C.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { ROOT } from "../../deploy/build/bundle.ts";
import { ConsulAgent, NEEDS_CONSUL } from "../integration/support/consul.ts";
import { Collector, treeOf } from "../integration/support/collector.ts";
import { Etcd, NEEDS_ETCD } from "../integration/support/etcd.ts";
import { freePort } from "../integration/support/ports.ts";
import { TestProcess } from "../integration/support/processes.ts";
import { inTime, until } from "../integration/support/until.ts";
import { Workspace } from "../integration/support/workspace.ts";

const EDGE = "http://127.0.0.1:8000";
/** The demo builds the sidecar when something changed. */
const START_MS = 180_000;
const STOP_MS = 20_000;

/** The demo, and every process that it starts: they inherit a mark that no other process has. */
class Demo implements AsyncDisposable {
  readonly process: TestProcess;
  readonly #mark = `DEMO_TEST_MARK=${crypto.randomUUID()}`;

  constructor(
    { args = [], env = {} }: {
      readonly args?: readonly string[];
      readonly env?: Readonly<Record<string, string>>;
    } = {},
  ) {
    const [name = "", value = ""] = this.#mark.split("=");
    this.process = new TestProcess({
      command: Deno.execPath(),
      args: ["task", "demo", ...args],
      cwd: ROOT,
      env: { ...env, [name]: value, NO_COLOR: "1" },
      isDetached: true,
    });
  }

  get output(): string {
    return this.process.lines.join("\n");
  }

  /** As the terminal does it: to everybody in the foreground. */
  pressCtrlC(): void {
    Deno.kill(-this.process.pid, "SIGINT");
  }

  /** Process ids; /proc is asked through grep, as Deno itself may not look there without every permission. */
  async processes(): Promise<number[]> {
    const script = 'grep -lzFx -- "$1" /proc/[0-9]*/environ 2>/dev/null';
    const { stdout } = await new Deno.Command("sh", { args: ["-c", script, "sh", this.#mark] })
      .output();
    const paths = new TextDecoder().decode(stdout).matchAll(/^\/proc\/(\d+)\//gm);
    return [...paths].map(([, pid]) => Number(pid));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pid of await this.processes()) {
      try {
        Deno.kill(pid, "SIGKILL");
      } catch {
        // It ended in this very moment.
      }
    }
    await this.process[Symbol.asyncDispose]();
  }
}

/**
 * A demo at work. Its ports are such as the system hands out to any connection, and one that a test before has just
 * let go may hold one for a moment.
 */
async function started(env: Readonly<Record<string, string>> = {}): Promise<Demo> {
  const isUp = (demo: Demo) => demo.output.includes("Ctrl-C stops everything.");
  for (let tries = 5;; tries--) {
    const demo = new Demo({ env });
    await until(
      "the instructions, or the end",
      () => isUp(demo) || demo.process.hasExited,
      START_MS,
    );
    if (isUp(demo)) return demo;
    await demo[Symbol.asyncDispose]();
    if (tries === 0 || !demo.output.includes("is taken by another process")) {
      throw new Error(demo.output);
    }
  }
}

async function ask(path: string, init: RequestInit = {}): Promise<[number, string]> {
  const response = await fetch(EDGE + path, init);
  return [response.status, await response.text()];
}

Deno.test("the demo starts, serves, and at Ctrl-C ends with code 0 and without a process left", async () => {
  await using demo = await started();
  // deno task, the demo, three services, four sidecars
  assertEquals((await demo.processes()).length, 9);
  for (const port of [8000, 15000, 15021, 8001, 15106, 15101, 15100, 15121, 8003, 15321]) {
    assertStringIncludes(demo.output, `127.0.0.1:${port}`);
  }

  const [, login] = await ask("/login", { method: "POST", body: '{"username":"alice"}' });
  const headers = { authorization: `Bearer ${JSON.parse(login).token}` };
  assertEquals(await ask("/api/users/123", { headers }), [
    200,
    '{"id":"123","name":"User-123","age":25}',
  ]);
  const body = '{"items":[{"sku":"book","quantity":2,"unitPrice":1999}]}';
  const json = { ...headers, "content-type": "application/json" };
  const [status, order] = await ask("/api/orders", { method: "POST", headers: json, body });
  assertEquals(status, 201, order);
  assertEquals(await ask("/api/users/123"), [401, '{"error":"missing authorization header"}']);
  await until(
    "the log of the request",
    () => /^user-sidecar +\| .*\/users\/123/m.test(demo.output),
  );

  demo.pressCtrlC();
  assertEquals(await inTime("the end", demo.process.exited, STOP_MS), 0, demo.output);
  assertEquals(await demo.processes(), []);
  assertStringIncludes(demo.output, "No process of the demo is left.");
});

Deno.test("an order of the demo is one trace through gateway, order, user and payment", async () => {
  await using collector = new Collector();
  await using demo = await started(collector.env);
  const [, login] = await ask("/login", { method: "POST", body: '{"username":"alice"}' });
  const traceId = crypto.randomUUID().replaceAll("-", "");
  const [status] = await ask("/api/orders", {
    method: "POST",
    headers: {
      authorization: `Bearer ${JSON.parse(login).token}`,
      "content-type": "application/json",
      traceparent: `00-${traceId}-b7ad6b7169203331-01`,
    },
    body: '{"items":[{"sku":"book","quantity":2,"unitPrice":1999}]}',
  });
  assertEquals(status, 201);
  assertEquals(
    treeOf(await collector.trace(traceId, 7)),
    [
      "gateway server POST /api/orders/*",
      "  gateway client POST /api/orders/*",
      "    order-service server POST",
      "      order-service client user.UserService/GetUser",
      "        user-service server user.UserService/GetUser",
      "      order-service client payment.PaymentService/CreatePayment",
      "        payment-service server payment.PaymentService/CreatePayment",
    ].join("\n"),
    demo.output,
  );
  // In order, so that the next test finds the ports free.
  demo.pressCtrlC();
  assertEquals(await inTime("the end", demo.process.exited, STOP_MS), 0, demo.output);
});

Deno.test("the demo names a port that is taken, what it needs it for, and who has it", async () => {
  using _listener = Deno.listen({ hostname: "127.0.0.1", port: 15206 });
  await using demo = new Demo();
  assertEquals(await inTime("the end", demo.process.exited, STOP_MS), 69);
  assertStringIncludes(demo.output, "127.0.0.1:15206 is taken by");
  assertStringIncludes(demo.output, `(process ${Deno.pid})`);
  assertStringIncludes(demo.output, "order-sidecar needs it for calls from other sidecars");
});

Deno.test("the demo passes its checks with Consul as the registry", NEEDS_CONSUL, async () => {
  await using workspace = new Workspace();
  await using agent = await ConsulAgent.start(workspace);
  const env = { CONSUL_HTTP_ADDR: agent.address };
  await using demo = new Demo({ args: ["--smoke", "--registry", "consul"], env });
  assertEquals(await inTime("the end", demo.process.exited, START_MS), 0, demo.output);
  assertMatch(demo.output, /^[0-9]+ passed, 0 failed$/m);
});

Deno.test("the demo says that there is no Consul, and how one is had", async () => {
  const env = { CONSUL_HTTP_ADDR: `127.0.0.1:${freePort()}` };
  await using demo = new Demo({ args: ["--registry", "consul"], env });
  assertEquals(await inTime("the end", demo.process.exited, STOP_MS), 69);
  assertStringIncludes(demo.output, `no Consul at http://${env.CONSUL_HTTP_ADDR}`);
  assertStringIncludes(demo.output, "consul agent -dev");
});

Deno.test("the demo passes its checks with policy pushed through etcd", NEEDS_ETCD, async () => {
  await using workspace = new Workspace();
  await using etcd = await Etcd.start(workspace);
  const env = { ETCDCTL_ENDPOINTS: etcd.endpoints.join() };
  await using demo = new Demo({ args: ["--smoke", "--policy", "etcd"], env });
  assertEquals(await inTime("the end", demo.process.exited, START_MS), 0, demo.output);
  assertMatch(demo.output, /^ok {3}a policy pushed through etcd is acknowledged/m);
  assertMatch(demo.output, /^[0-9]+ passed, 0 failed$/m);
  assertStringIncludes(await etcd.get("/mesh/policy/order-service") ?? "", "payment-service");
});

Deno.test("the demo says that there is no etcd, and how one is had", async () => {
  const env = { ETCDCTL_ENDPOINTS: `127.0.0.1:${freePort()}` };
  await using demo = new Demo({ args: ["--policy", "etcd"], env });
  assertEquals(await inTime("the end", demo.process.exited, STOP_MS), 69);
  assertStringIncludes(demo.output, `no etcd at http://${env.ETCDCTL_ENDPOINTS}`);
  assertStringIncludes(demo.output, "start one with `etcd`");
});
