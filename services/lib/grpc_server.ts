// The gRPC face of a service process: its own service, health and reflection on one port, and a stop that ends.

import { Server, ServerCredentials } from "@grpc/grpc-js";
import { maxBodyBytes } from "./body.ts";
import { describeFiles } from "./descriptors.ts";
import { GrpcHealth } from "./grpc_health.ts";
import { unary, type UnaryMethod } from "./grpc_method.ts";
import { reflectionHandlers } from "./grpc_reflection.ts";
import type { Log } from "./log.ts";
import { readService } from "./protos.ts";

/** A service by its .proto file below proto/, its full name, and its methods by their names there. */
export interface GrpcService {
  readonly file: string;
  readonly name: string;
  readonly methods: Readonly<Record<string, UnaryMethod>>;
}

interface GrpcServerOptions {
  readonly hostname: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly service: GrpcService;
  /** Rejects when the database does not answer. */
  readonly ping: () => Promise<void>;
  readonly log: Log;
}

const health = { file: "grpc/health/v1/health.proto", name: "grpc.health.v1.Health" };
const reflections = ["v1", "v1alpha"].map((version) => ({
  file: `grpc/reflection/${version}/reflection.proto`,
  name: `grpc.reflection.${version}.ServerReflection`,
}));

/** A server that listens; whoever made it stops it. */
export class GrpcServer {
  readonly port: number;
  readonly #server: Server;
  readonly #health: GrpcHealth;

  private constructor(port: number, server: Server, health: GrpcHealth) {
    this.port = port;
    this.#server = server;
    this.#health = health;
  }

  /** Rejects when it cannot listen there. */
  static async listen(options: GrpcServerOptions): Promise<GrpcServer> {
    const { hostname, port, service, ping, log } = options;
    const server = new Server({ "grpc.max_receive_message_length": maxBodyBytes });
    addService(server, service, log);
    const state = new GrpcHealth({ services: [service.name], ping });
    server.addService(readService(health.file, health.name), state.handlers);
    addReflection(server, [service, health, ...reflections]);
    return new GrpcServer(await bind(server, hostname, port), server, state);
  }

  /** Lets calls finish, for as long as told, then cuts them off; answers whether all had finished. */
  async stop(withinMs: number): Promise<boolean> {
    this.#health.stop();
    const finished = Promise.withResolvers<boolean>();
    // It reports an error only when it has been forced to end already.
    this.#server.tryShutdown(() => finished.resolve(true));
    const timer = setTimeout(() => {
      finished.resolve(false);
      this.#server.forceShutdown();
    }, withinMs);
    const isClean = await finished.promise;
    clearTimeout(timer);
    return isClean;
  }
}

function addService(server: Server, { file, name, methods }: GrpcService, log: Log): void {
  const handlers = Object.entries(methods).map(([method, run]) =>
    [method, unary(`/${name}/${method}`, run, log)] as const
  );
  server.addService(readService(file, name), Object.fromEntries(handlers));
}

function addReflection(
  server: Server,
  served: readonly { readonly file: string; readonly name: string }[],
): void {
  const files = describeFiles(served.map(({ file }) => file));
  const handlers = reflectionHandlers({ services: served.map(({ name }) => name), files });
  for (const { file, name } of reflections) server.addService(readService(file, name), handlers);
}

function bind(server: Server, hostname: string, port: number): Promise<number> {
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
    if (error === null) resolve(bound);
    else reject(error);
  });
  return promise;
}
