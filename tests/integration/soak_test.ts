// The soak: 200 clients at once upload and download 64 MiB each through two sidecars, whose memory must not grow with it.
// client > sidecar A outbound > sidecar B inbound > app; everybody is a process of its own.
import { assertEquals, assertLess } from "@std/assert";
import { join } from "node:path";
import { freePort } from "./support/ports.ts";
import { TestProcess } from "./support/processes.ts";
import { RawApp } from "./support/raw_app.ts";
import { peaksDuring, residentMb } from "./support/resident.ts";
import { TestSidecar } from "./support/sidecar.ts";
import { inTime, until } from "./support/until.ts";
import { answer, get, statusOf, Wire } from "./support/wire.ts";
import { Workspace } from "./support/workspace.ts";

const CLIENTS = 200;
const WARM_UP_CLIENTS = 20;
const MAX_GROWTH_MB = 100;
/** Many times what it takes (see the line it prints), and less than the patience of CI. */
const LIMIT_MS = 8 * 60_000;

const DIRECTORY = join(import.meta.dirname ?? "", "soak");

interface Result {
  readonly problems: readonly string[];
  readonly bytes: number;
  readonly seconds: number;
}

function script(name: string, args: readonly number[]): TestProcess {
  return new TestProcess({
    command: Deno.execPath(),
    args: ["run", "--quiet", "--no-prompt", "--allow-net=127.0.0.1", name, ...args.map(String)],
    cwd: DIRECTORY,
  });
}

async function transfer(port: number, clients: number): Promise<Result> {
  await using process = script("client.ts", [port, clients]);
  const code = await inTime("the transfers", process.exited, LIMIT_MS);
  assertEquals(code, 0, process.lines.join("\n"));
  return JSON.parse(process.lines.at(-1) ?? "");
}

Deno.test("200 clients up- and downloading 64 MiB each leave two sidecars below 100 MB more memory", async () => {
  const port = freePort();
  await using workspace = new Workspace();
  await using _app = script("app.ts", [port]);
  await using caller = new RawApp(({ wire }) => wire.write(answer("ok")));
  // What is proven here is memory and content; how long 200 uploads queue on two cores is not.
  const timeout = "5m";
  await using b = await TestSidecar.start(workspace, {
    service: "soak-service",
    app: port,
    config: { policy: { inbound: { timeout } } },
  });
  // A machine this busy answers health checks late; here that must not take the only endpoint away.
  const registry = { static: { "soak-service": [`127.0.0.1:${b.ports.inbound}`] } };
  await using a = await TestSidecar.start(workspace, {
    service: "caller",
    app: caller.port,
    config: { registry, policy: { upstreams: { "soak-service": { timeout } } } },
  });
  const { outbound } = a.ports;
  await until("the way through both", async () => {
    using wire = await Wire.dial(outbound);
    return statusOf(await wire.exchange(get("soak-service", "/health"))) === 200;
  });
  assertEquals((await transfer(outbound, WARM_UP_CLIENTS)).problems, []);

  const sidecars = [a.process, b.process];
  const before = await residentMb(sidecars);
  const transferring = transfer(outbound, CLIENTS);
  const peaks = await peaksDuring(sidecars, transferring);
  const result = await transferring;
  assertEquals(result.problems, []);
  assertEquals(result.bytes, 2 * CLIENTS * 64 * 1024 * 1024);
  report(result, before, peaks);
  for (const [index, peak] of peaks.entries()) assertLess(peak - before[index]!, MAX_GROWTH_MB);
});

/** For who reads the log of CI. */
function report(
  { bytes, seconds }: Result,
  before: readonly number[],
  peaks: readonly number[],
): void {
  const rate = (bytes / 1e6 / seconds).toFixed(0);
  const memory = before.map((mb, index) => `${mb.toFixed(0)} to ${peaks[index]!.toFixed(0)} MB`);
  const line = `soak: ${(bytes / 1e9).toFixed(1)} GB in ${
    seconds.toFixed(1)
  } s, ${rate} MB/s, RSS ${memory.join(" and ")}\n`;
  Deno.stdout.writeSync(new TextEncoder().encode(line));
}
