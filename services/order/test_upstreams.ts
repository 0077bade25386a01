// A port behind which both upstream services answer as a test says, and the client of it.

import { assert } from "@std/assert";
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { readService } from "../lib/protos.ts";
import { GrpcUpstreams } from "./grpc_client.ts";

/** What the server saw of a call. */
export interface Seen {
  readonly path: string;
  readonly authority: string;
  readonly peer: string;
  readonly request: object;
  readonly metadata: Record<string, unknown>;
  readonly secondsLeft: number;
}

/** A response, or a status. */
export interface Answer {
  readonly message?: object;
  readonly code?: status;
  readonly details?: string;
}

/** Both services behind one port, as a proxy's outbound port is; stop() leaves nothing of it. */
export async function serve(answer: () => Answer | Promise<Answer>, port = 0) {
  const seen: Seen[] = [];
  const server = new Server();
  const handle = async (
    call: ServerUnaryCall<object, object>,
    callback: (error: Answer | null, message?: object) => void,
  ) => {
    seen.push({
      path: call.getPath(),
      authority: call.getHost(),
      peer: call.getPeer(),
      request: call.request,
      metadata: call.metadata.getMap(),
      secondsLeft: Math.round((Number(call.getDeadline()) - Date.now()) / 1000),
    });
    const { message, ...error } = await answer();
    if (message === undefined) callback({ ...error, ...{ metadata: new Metadata() } });
    else callback(null, message);
  };
  const add = (file: string, service: string, method: string) =>
    server.addService(
      readService(file, service),
      { [method]: handle } as UntypedServiceImplementation,
    );
  add("user.proto", "user.UserService", "GetUser");
  add("payment.proto", "payment.PaymentService", "CreatePayment");
  const bound = await new Promise<number>((resolve, reject) => {
    const onBound = (error: Error | null, port: number) => error ? reject(error) : resolve(port);
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), onBound);
  });
  const drain = () => new Promise((resolve) => server.tryShutdown(resolve));
  return { port: bound, seen, drain, stop: () => server.forceShutdown() };
}

/** The caller disposes of it. */
export function connect(port: number, timeoutMs = 3_000): GrpcUpstreams {
  return new GrpcUpstreams({ url: new URL(`http://127.0.0.1:${port}`), timeoutMs });
}

/** grpc-js has no event for it: asks again and again while the channel waits to connect. */
export async function untilFound(client: GrpcUpstreams): Promise<void> {
  const startedAt = performance.now();
  while ((await client.findUser("1", {})).kind !== "found") {
    assert(performance.now() - startedAt < 5_000, "the channel did not come back");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
