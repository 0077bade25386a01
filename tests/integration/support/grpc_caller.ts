// A grpc-js client of the service in grpc_app.ts: calls of each kind, with all that is known of their end.
import { Buffer } from "node:buffer";
import {
  type CallOptions,
  type ChannelOptions,
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientWritableStream,
  credentials,
  Metadata,
  type StatusObject,
} from "@grpc/grpc-js";
import { asIs, type GrpcHandlers, methodPath } from "./grpc_app.ts";

/** How a call ended, and what came before. */
export interface Ending {
  readonly code: number;
  readonly details: string;
  /** Undefined where head and trailers were one. */
  readonly headers: Metadata | undefined;
  readonly trailers: Metadata;
  readonly messages: readonly Buffer[];
}

export interface Asked extends CallOptions {
  readonly metadata?: Metadata;
}

/** What all calls have in common. */
interface Call {
  on(event: "metadata", listener: (metadata: Metadata) => void): unknown;
  on(event: "status", listener: (status: StatusObject) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  cancel(): void;
}

/** No call may take longer, so that a test fails and does not hang. */
const PATIENCE_MS = 20_000;

const OPTIONS: ChannelOptions = {
  // grpc-js on Deno repeats a call that could not start at once and for ever.
  "grpc.enable_retries": 0,
  "grpc.enable_http_proxy": 0,
  "grpc.service_config_disable_resolution": 1,
  "grpc.use_local_subchannel_pool": 1,
  "grpc.initial_reconnect_backoff_ms": 50,
  "grpc.max_reconnect_backoff_ms": 200,
  "grpc.max_receive_message_length": 32 << 20,
  "grpc.max_send_message_length": 32 << 20,
};

/** One channel: one connection to a loopback port, closed when it is disposed. */
export class GrpcCaller implements Disposable {
  readonly #client: Client;

  constructor(port: number, authority = "callee") {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      ...OPTIONS,
      "grpc.default_authority": authority,
    });
  }

  /** Never rejects. */
  unary(message: string | Buffer = "", asked: Asked = {}, path = methodPath("Unary")) {
    const messages: Buffer[] = [];
    const call = this.#client.makeUnaryRequest(
      path,
      asIs,
      asIs,
      Buffer.from(message),
      asked.metadata ?? new Metadata(),
      optionsOf(asked),
      (_, answer) => {
        if (answer !== undefined) messages.push(answer);
      },
    );
    return Object.assign(endOf(call, messages), { cancel: () => call.cancel() });
  }

  download(message: string, asked: Asked = {}): Conversation<ClientReadableStream<Buffer>> {
    const { metadata = new Metadata() } = asked;
    const request = Buffer.from(message);
    const path = methodPath("Download");
    return new Conversation(
      this.#client.makeServerStreamRequest(path, asIs, asIs, request, metadata, optionsOf(asked)),
    );
  }

  upload(asked: Asked = {}): { call: ClientWritableStream<Buffer>; end: Promise<Ending> } {
    const messages: Buffer[] = [];
    const call = this.#client.makeClientStreamRequest(
      methodPath("Upload"),
      asIs,
      asIs,
      asked.metadata ?? new Metadata(),
      optionsOf(asked),
      (_, answer) => {
        if (answer !== undefined) messages.push(answer);
      },
    );
    return { call, end: endOf(call, messages) };
  }

  chat(asked: Asked = {}): Conversation<ClientDuplexStream<Buffer, Buffer>> {
    const { metadata = new Metadata() } = asked;
    const path = methodPath("Chat");
    return new Conversation(
      this.#client.makeBidiStreamRequest(path, asIs, asIs, metadata, optionsOf(asked)),
    );
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

/** A call whose answers are read one by one, and hardly sooner than they are asked for. */
export class Conversation<T extends ClientReadableStream<Buffer>> {
  readonly call: T;
  readonly end: Promise<Ending>;
  readonly #messages: Buffer[] = [];
  #wake = Promise.withResolvers<void>();
  #isOver = false;

  constructor(call: T) {
    this.call = call;
    this.end = endOf(call, this.#messages);
    call.on("readable", () => this.#wake.resolve());
    call.on("status", () => {
      this.#isOver = true;
      this.#wake.resolve();
    });
  }

  /** The next message; undefined behind the last, however the call ended. An iterator would lose what an error overtakes. */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      const message: Buffer | null = this.call.read();
      if (message !== null) {
        this.#messages.push(message);
        return message;
      }
      if (this.#isOver) return undefined;
      await this.#wake.promise;
      this.#wake = Promise.withResolvers();
    }
  }

  /** Reads to the end. */
  async rest(): Promise<Ending> {
    while (await this.next() !== undefined);
    return await this.end;
  }
}

/** What the callers of grpc_app.ts read in a message or in many. */
export function textOf({ messages }: Ending): string {
  return messages.map(String).join(",");
}

/** Code and words of an end. */
export function statusOf({ code, details }: Ending): [code: number, details: string] {
  return [code, details];
}

export type MethodName = keyof GrpcHandlers;

function optionsOf({ metadata: _, ...options }: Asked): CallOptions {
  return { deadline: Date.now() + PATIENCE_MS, ...options };
}

function endOf(call: Call, messages: readonly Buffer[]): Promise<Ending> {
  return new Promise((resolve) => {
    let headers: Metadata | undefined;
    call.on("metadata", (metadata) => headers = metadata);
    call.on("error", () => {}); // the status tells the same
    call.on("status", ({ code, details, metadata }) =>
      // The callback of a unary call comes just behind its status.
      queueMicrotask(() => resolve({ code, details, headers, trailers: metadata, messages })));
  });
}
