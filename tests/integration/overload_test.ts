// A real app that gets twice what it can do: with adaptive concurrency at its sidecar it does what it can, and without it nothing
// that anybody still waits for.
import { assert, assertStringIncludes } from "@std/assert";
import { RawApp } from "./support/raw_app.ts";
import { TestSidecar } from "./support/sidecar.ts";
import { answer, get, statusOf, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

/** The app does so many at once, and each takes so long: 400 a second. */
const WORKERS = 8;
const WORK_MS = 20;
const CAPACITY = WORKERS * 1000 / WORK_MS;
/** Clients leave after so long; the app never hears of it. */
const PATIENCE_MS = 400;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** An app with a queue without end. */
function busyApp(): RawApp {
  const waiting: (() => void)[] = [];
  let busy = 0;
  return new RawApp(async ({ wire }) => {
    if (busy === WORKERS) await new Promise<void>((resolve) => waiting.push(resolve));
    else busy++;
    await pause(WORK_MS);
    const next = waiting.shift();
    if (next === undefined) busy--;
    else next();
    await wire.write(answer("ok"));
  });
}

/** What became of requests that came at so many a second, whatever became of those before. */
class OpenLoad {
  good = 0;
  shed = 0;
  readonly #port: number;
  readonly #fields: string;
  readonly #idle: Wire[] = [];
  readonly #requests = new Set<Promise<void>>();

  constructor(port: number, fields = "") {
    this.#port = port;
    this.#fields = fields;
  }

  async run(rate: number, ms: number): Promise<void> {
    const begin = performance.now();
    for (let count = 0; performance.now() - begin < ms;) {
      const due = (performance.now() - begin) / 1000 * rate;
      for (; count < due; count++) {
        const request = this.#ask().finally(() => this.#requests.delete(request));
        this.#requests.add(request);
      }
      await pause(2);
    }
  }

  reset(): void {
    this.good = this.shed = 0;
  }

  async end(): Promise<void> {
    await Promise.all(this.#requests);
    for (const wire of this.#idle) wire.close();
  }

  async #ask(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      const wire = this.#idle.pop() ?? await Wire.dial(this.#port);
      timer = setTimeout(() => wire.close(), PATIENCE_MS);
      const status = statusOf(await wire.exchange(get("order-service", "/", this.#fields)));
      if (status === 200) this.good++;
      if (status === 503) this.shed++;
      this.#idle.push(wire);
    } catch {
      // It has left, or found nobody.
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Good answers a second at so much of the capacity, once things have settled. */
async function goodput(load: number, inbound: Readonly<Record<string, unknown>>): Promise<number> {
  await using workspace = new Workspace();
  await using app = busyApp();
  await using sidecar = await TestSidecar.start(workspace, {
    service: "order-service",
    app: app.port,
    config: {
      policy: { inbound },
      // The queue makes the app look dead, and nobody is to be told.
      service: {
        name: "order-service",
        app: { http: `127.0.0.1:${app.port}`, health: { tcp: true } },
      },
      log: { format: "text", access: "off" },
    },
  });
  const clients = new OpenLoad(sidecar.ports.inbound);
  await clients.run(load * CAPACITY, 4000);
  clients.reset();
  const SECONDS = 5;
  await clients.run(load * CAPACITY, SECONDS * 1000);
  const { good, shed } = clients;
  await clients.end();
  if (inbound.concurrency !== undefined && load > 1) {
    assert(shed > 0, "nothing was shed");
    assertStringIncludes(await sidecar.admin("/metrics"), "mesh_concurrency_limit ");
  }
  return good / SECONDS;
}

Deno.test("at twice its capacity an app behind adaptive concurrency keeps 90 % of its best goodput", async () => {
  const concurrency = { initial: 40 };
  const peak = await goodput(0.85, { concurrency }) / 0.85;
  const kept = await goodput(2, { concurrency });
  const lost = await goodput(2, {});
  assert(kept >= 0.9 * Math.min(peak, CAPACITY), `${kept} of ${peak} a second`);
  assert(lost < 0.5 * kept, `without it ${lost}, with it ${kept} a second`);
});
