// Stands in for a sidecar's outbound port: one gRPC port that forwards calls by their authority, as is and once.
import {
  Client,
  credentials,
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServiceDefinition,
} from "@grpc/grpc-js";

/** Where the calls of an authority go, and what it serves. */
export interface Destination {
  readonly authority: string;
  readonly port: number;
  readonly service: ServiceDefinition;
}

/** Unary calls only. */
export class AuthorityForwarder implements Disposable {
  readonly port: number;
  readonly #server: Server;
  readonly #clients: ReadonlyMap<string, Client>;

  private constructor(port: number, server: Server, clients: ReadonlyMap<string, Client>) {
    this.port = port;
    this.#server = server;
    this.#clients = clients;
  }

  static async listen(destinations: readonly Destination[]): Promise<AuthorityForwarder> {
    const clients = new Map(destinations.map(({ authority, port }) => {
      const options = { "grpc.use_local_subchannel_pool": 1, "grpc.enable_http_proxy": 0 };
      return [authority, new Client(`127.0.0.1:${port}`, credentials.createInsecure(), options)];
    }));
    const server = new Server();
    for (const { service } of destinations) {
      server.addService(service, handlersOf(service, clients));
    }
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port);
      else reject(error);
    });
    return new AuthorityForwarder(await promise, server, clients);
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients.values()) client.close();
    this.#server.forceShutdown();
  }
}

function handlersOf(service: ServiceDefinition, clients: ReadonlyMap<string, Client>) {
  const handlers = Object.entries(service).map(([name, method]) => {
    const { path, requestSerialize, responseDeserialize } = method;
    const handle: handleUnaryCall<object, object> = (call, callback) => {
      const client = clients.get(call.getHost());
      if (client === undefined) throw new Error(`nobody is called ${call.getHost()}`);
      const { request, metadata } = call;
      const options = { deadline: call.getDeadline() };
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadata,
        options,
        callback,
      );
    };
    return [name, handle];
  });
  return Object.fromEntries(handlers);
}
