// A grpc-js server in the test's own process whose messages are plain bytes, well by grpc.health.v1 while it listens.
// Its one service has a method of each kind: Unary, Download, Upload and Chat.
import { Buffer } from "node:buffer";
import {
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  status,
} from "@grpc/grpc-js";

export interface GrpcHandlers {
  readonly Unary?: handleUnaryCall<Buffer, Buffer>;
  readonly Download?: handleServerStreamingCall<Buffer, Buffer>;
  readonly Upload?: handleClientStreamingCall<Buffer, Buffer>;
  readonly Chat?: handleBidiStreamingCall<Buffer, Buffer>;
}

/** What a grpc.health.v1 Check answers. */
export type Health = "SERVING" | "NOT_SERVING";

/** A HealthCheckResponse with that status: field 1, a varint. */
const HEALTH: Readonly<Record<Health, Buffer>> = {
  SERVING: Buffer.from([8, 1]),
  NOT_SERVING: Buffer.from([8, 2]),
};

/** The path of a method of the service. */
export function methodPath(name: keyof GrpcHandlers): string {
  return `/test.Calls/${name}`;
}

/** Messages are what they are. */
export function asIs(bytes: Buffer): Buffer {
  return bytes;
}

const CALLS = definition({
  Unary: [methodPath("Unary"), false, false],
  Download: [methodPath("Download"), false, true],
  Upload: [methodPath("Upload"), true, false],
  Chat: [methodPath("Chat"), true, true],
});

const HEALTH_SERVICE = definition({ Check: ["/grpc.health.v1.Health/Check", false, false] });

/** Listens until disposed. What it has no handler for is UNIMPLEMENTED. */
export class GrpcApp implements Disposable {
  health: Health = "SERVING";
  /** The service that each health check asked for. */
  readonly healthChecks: string[] = [];
  readonly #server: Server;
  #port = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async listen(handlers: GrpcHandlers, port = 0): Promise<GrpcApp> {
    const server = new Server({
      "grpc.max_receive_message_length": 32 << 20,
      "grpc.max_send_message_length": 32 << 20,
    });
    const app = new GrpcApp(server);
    server.addService(CALLS, { ...handlers });
    server.addService(HEALTH_SERVICE, { Check: app.#check });
    app.#port = await bind(server, port);
    return app;
  }

  get port(): number {
    return this.#port;
  }

  #check: handleUnaryCall<Buffer, Buffer> = ({ request }, callback) => {
    // A HealthCheckRequest of one field: its key, a length, the name.
    this.healthChecks.push(request.subarray(2).toString());
    callback(null, HEALTH[this.health]);
  };

  [Symbol.dispose](): void {
    this.#server.forceShutdown();
  }
}

/** Ends a call as told. */
export function failure(code: status, details: string): { code: status; details: string } {
  return { code, details };
}

function bind(server: Server, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
    if (error === null) resolve(bound);
    else reject(error);
  });
  return promise;
}

type Shape = readonly [path: string, requestStream: boolean, responseStream: boolean];

function definition(methods: Readonly<Record<string, Shape>>): ServiceDefinition {
  const codec = {
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  return Object.fromEntries(
    Object.entries(methods).map(([name, [path, requestStream, responseStream]]) =>
      [name, { path, requestStream, responseStream, ...codec }] as const
    ),
  );
}
