// The life of a service process: read the settings, open, serve, and on SIGTERM or SIGINT stop within five seconds.

import { GrpcServer, type GrpcService } from "./grpc_server.ts";
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
  readonly grpc: GrpcService;
  /** Rejects when the database does not answer. */
  readonly ping: () => Promise<void>;
  readonly close: () => Promise<void>;
}

interface Address {
  readonly hostname: string;
  readonly port: number;
}

/** What answers calls while the process lives. */
interface Servers {
  readonly http: Deno.HttpServer;
  readonly grpc: GrpcServer;
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
    const hostname = settings.HOST;
    const port = parsePort("PORT", settings.PORT);
    const grpcPort = parsePort("GRPC_PORT", settings.GRPC_PORT);
    const log = createLog(name);
    // Listened for before anything opens, so that no signal finds a half-open service.
    const stopSignal = nextSignal();
    const app = await openOrFail(name, settings.DATABASE_FILE, () => open(settings, log));
    const servers = {
      http: listenHttp(name, { hostname, port }, app, log),
      grpc: await listenGrpc(name, { hostname, port: grpcPort }, app, log),
    };
    log("info", "stopping", { signal: await stopSignal });
    await stop(servers, app, log);
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

function listenHttp(name: string, at: Address, { handler }: App, log: Log): Deno.HttpServer {
  const onListen = ({ hostname: address, port }: Deno.NetAddr) =>
    log("info", "listening", { protocol: "http", address, port });
  try {
    return Deno.serve({ ...at, onListen }, handler);
  } catch (error) {
    return exitOccupied(name, at, error);
  }
}

async function listenGrpc(name: string, at: Address, app: App, log: Log): Promise<GrpcServer> {
  const { grpc: service, ping } = app;
  try {
    const server = await GrpcServer.listen({ ...at, service, ping, log });
    log("info", "listening", { protocol: "grpc", address: at.hostname, port: server.port });
    return server;
  } catch (error) {
    return exitOccupied(name, at, error);
  }
}

async function stop({ http, grpc }: Servers, app: App, log: Log): Promise<void> {
  const finished = http.shutdown().then(() => true);
  const deadline = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => deadline.resolve(false), finishRequestsMs);
  const areClean = await Promise.all([
    Promise.race([finished, deadline.promise]),
    grpc.stop(finishRequestsMs),
  ]);
  clearTimeout(timer);
  await app.close();
  log("info", "stopped", { isClean: areClean.every((isClean) => isClean) });
}

function nextSignal(): Promise<Deno.Signal> {
  const { promise, resolve } = Promise.withResolvers<Deno.Signal>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    // Never removed: a second signal must not cut the stop short.
    Deno.addSignalListener(signal, () => resolve(signal));
  }
  return promise;
}

function exitOccupied(name: string, { hostname, port }: Address, error: unknown): never {
  const isOccupied = error instanceof Error &&
    /AddrInUse|EADDRINUSE/.test(`${error.name} ${error.message}`);
  const why = isOccupied ? "already in use" : reason(error);
  return exitWith(69, name, `cannot listen on ${hostname}:${port}: ${why}`);
}

function exitWith(code: number, name: string, message: string): never {
  Deno.stderr.writeSync(new TextEncoder().encode(`${name}: ${message}\n`));
  Deno.exit(code);
}

function reason(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";
}
