// The life of a service process: read the settings, open, serve, and on SIGTERM or SIGINT stop within five seconds.

import { createLog, type Log } from "./log.ts";
import type { Handler } from "./router.ts";
import {
  describeSettings,
  parsePort,
  readSettings,
  SettingError,
  type Settings,
  type SettingTable,
} from "./settings.ts";

/** What a service is once it is open; `close` ends its database and clients. */
export interface App {
  readonly handler: Handler;
  readonly close: () => Promise<void>;
}

interface Service<Table extends SettingTable> {
  readonly name: string;
  readonly settings: Table;
  readonly open: (settings: Settings<Table>, log: Log) => Promise<App>;
}

/** Leaves half a second of the promised five for closing the database. */
const finishRequestsMs = 4_500;

/** Runs the service to its end, then exits the process: 0 stopped, 64 usage, 69 unavailable, 78 configuration. */
export async function runService<Table extends SettingTable>(
  { name, settings: table, open }: Service<Table>,
): Promise<never> {
  if (Deno.args.includes("--help")) {
    Deno.stdout.writeSync(new TextEncoder().encode(describeSettings(name, table)));
    Deno.exit(0);
  }
  try {
    const settings = readSettings(table, Deno.args, Deno.env.get);
    const port = parsePort(settings.PORT);
    const log = createLog(name);
    // Listened for before anything opens, so that no signal finds a half-open service.
    const stopSignal = nextSignal();
    const app = await openOrFail(name, settings.DATABASE_FILE, () => open(settings, log));
    const server = listen(name, settings.HOST, port, app.handler, log);
    log("info", "stopping", { signal: await stopSignal });
    await stop(server, app, log);
    Deno.exit(0);
  } catch (error) {
    if (error instanceof SettingError) exitWith(error.exitCode, name, error.message);
    throw error;
  }
}

async function openOrFail(name: string, file: string, open: () => Promise<App>): Promise<App> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof SettingError) throw error;
    return exitWith(69, name, `cannot open ${file}: ${reason(error)}`);
  }
}

function listen(
  name: string,
  hostname: string,
  port: number,
  handler: Handler,
  log: Log,
): Deno.HttpServer {
  const onListen = (at: Deno.NetAddr) =>
    log("info", "listening", { address: at.hostname, port: at.port });
  try {
    return Deno.serve({ hostname, port, onListen }, handler);
  } catch (error) {
    const why = error instanceof Deno.errors.AddrInUse ? "already in use" : reason(error);
    return exitWith(69, name, `cannot listen on ${hostname}:${port}: ${why}`);
  }
}

async function stop(server: Deno.HttpServer, app: App, log: Log): Promise<void> {
  const finished = server.shutdown().then(() => true);
  const deadline = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => deadline.resolve(false), finishRequestsMs);
  const isClean = await Promise.race([finished, deadline.promise]);
  clearTimeout(timer);
  await app.close();
  log("info", "stopped", { isClean });
}

function nextSignal(): Promise<Deno.Signal> {
  const { promise, resolve } = Promise.withResolvers<Deno.Signal>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    // Never removed: a second signal must not cut the stop short.
    Deno.addSignalListener(signal, () => resolve(signal));
  }
  return promise;
}

function exitWith(code: number, name: string, message: string): never {
  Deno.stderr.writeSync(new TextEncoder().encode(`${name}: ${message}\n`));
  Deno.exit(code);
}

function reason(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";
}
