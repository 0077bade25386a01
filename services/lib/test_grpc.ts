// A grpc-js client for tests: calls by the .proto files, and values instead of callbacks.

import { type CallOptions, Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { GrpcError } from "./grpc_method.ts";
import type { GrpcService } from "./grpc_server.ts";
import { readService } from "./protos.ts";

/** How a call ended: the response, or the status with its text. */
export type Outcome = object | readonly [code: number, details: string];

/** A client of one service at a loopback port. */
export class TestClient implements Disposable {
  readonly #client: Client;
  readonly #service: string;
  readonly #file: string;

  constructor(port: number, file: string, service: string) {
    this.#file = file;
    this.#service = service;
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
      "grpc.enable_http_proxy": 0,
    });
  }

  /** A unary call; never rejects. */
  async call(
    name: string,
    request: object,
    entries: Readonly<Record<string, string>> = {},
  ): Promise<Outcome> {
    const [error, message] = await this.end(name, request, entries);
    return error === null ? message : [error.code, error.details];
  }

  /** A unary call with all that is known of its error. */
  end(
    name: string,
    request: object,
    entries: Readonly<Record<string, string>> = {},
    options: CallOptions = { deadline: Date.now() + 10_000 },
  ): Promise<[ServiceError, object] | [null, object]> {
    const { path, requestSerialize, responseDeserialize } = this.#method(name);
    const metadata = Metadata.fromHttp2Headers(entries);
    return new Promise((resolve) =>
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadata,
        options,
        (error: ServiceError | null, message: object = {}) => resolve([error, message] as const),
      )
    );
  }

  /** A call that is answered by a stream, read one by one. */
  watch(name: string, request: object): AsyncIterator<object> {
    const { path, requestSerialize, responseDeserialize } = this.#method(name);
    return this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
    )[Symbol.asyncIterator]();
  }

  /** Asks each question in one call of streams both ways, and gives the answers in their order. */
  async converse(name: string, questions: readonly object[]): Promise<object[]> {
    const { path, requestSerialize, responseDeserialize } = this.#method(name);
    const call = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    for (const question of questions) call.write(question);
    call.end();
    const answers: object[] = [];
    for await (const answer of call) answers.push(answer);
    return answers;
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }

  #method(name: string) {
    const method = readService(this.#file, this.#service)[name];
    if (method === undefined) throw new Error(`${this.#service} has no method ${name}`);
    return method;
  }
}

/** Calls a method of a service without a server; a GrpcError becomes its code and text. */
export async function callMethod(
  { methods }: GrpcService,
  name: string,
  request: object,
  entries: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const method = methods[name];
  if (method === undefined) throw new Error(`no method ${name}`);
  try {
    return await method(request as never, Metadata.fromHttp2Headers(entries));
  } catch (error) {
    if (error instanceof GrpcError) return [error.code, error.message];
    throw error;
  }
}
