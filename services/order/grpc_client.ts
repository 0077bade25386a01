// Calls the user and payment services by gRPC through one outbound port, which tells them apart by the authority.
// Retries are the proxy's policy; here is only the deadline. One channel a service lives as long as its owner.

import {
  type ChannelOptions,
  Client,
  credentials,
  Metadata,
  type MethodDefinition,
  type ServiceDefinition,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { maxBodyBytes } from "../lib/body.ts";
import { readService } from "../lib/protos.ts";
import type {
  CallFailure,
  PaymentOrder,
  PaymentResult,
  TraceHeaders,
  Upstreams,
  UserLookup,
} from "./upstreams.ts";

interface OutboundOptions {
  /** The outbound port as an origin: http://127.0.0.1:15201. */
  readonly url: URL;
  readonly timeoutMs: number;
}

type Answer =
  | { readonly kind: "answer"; readonly message: object }
  | { readonly kind: "error"; readonly code: status; readonly details: string };

/** Keeps its channels open between calls, so whoever makes one disposes of it. */
export class GrpcUpstreams implements Upstreams, Disposable {
  readonly #users: Channel;
  readonly #payments: Channel;

  constructor(options: OutboundOptions) {
    const users = readService("user.proto", "user.UserService");
    this.#users = new Channel("user-service", users, options);
    const payments = readService("payment.proto", "payment.PaymentService");
    this.#payments = new Channel("payment-service", payments, options);
  }

  async findUser(userId: string, trace: TraceHeaders): Promise<UserLookup> {
    const answer = await this.#users.call("GetUser", { userId }, trace);
    if (answer.kind === "answer") return { kind: "found" };
    // A proxy on the way may say NOT_FOUND too; only the user service can say that there is no such user.
    const isUnknown = answer.code === status.NOT_FOUND && answer.details === "user not found";
    return isUnknown ? { kind: "unknown" } : failureOf(answer.code);
  }

  async pay(payment: PaymentOrder, trace: TraceHeaders): Promise<PaymentResult> {
    const request = { ...payment, idempotencyKey: payment.orderId };
    const answer = await this.#payments.call("CreatePayment", request, trace);
    if (answer.kind === "answer") return resultOf(answer.message);
    const isDeclined = answer.code === status.FAILED_PRECONDITION &&
      answer.details === "payment declined";
    return isDeclined ? { kind: "declined" } : failureOf(answer.code);
  }

  async refund(
    paymentId: string,
    trace: TraceHeaders,
  ): Promise<{ readonly kind: "refunded" } | CallFailure> {
    const answer = await this.#payments.call("RefundPayment", { paymentId }, trace);
    return answer.kind === "answer" ? { kind: "refunded" } : failureOf(answer.code);
  }

  [Symbol.dispose](): void {
    this.#users.close();
    this.#payments.close();
  }
}

/** What grpc-js says of a call that it could not even begin to send. */
const notStarted = "Failed to start HTTP/2 stream";

/** One upstream service. */
class Channel {
  readonly #connect: () => Client;
  readonly #methods: ServiceDefinition;
  readonly #timeoutMs: number;
  #client: Client;

  constructor(authority: string, methods: ServiceDefinition, { url, timeoutMs }: OutboundOptions) {
    this.#methods = methods;
    this.#timeoutMs = timeoutMs;
    this.#connect = () => new Client(url.host, credentials.createInsecure(), optionsFor(authority));
    this.#client = this.#connect();
  }

  /** Never rejects. */
  async call(name: string, request: object, trace: TraceHeaders): Promise<Answer> {
    const method = this.#methods[name];
    if (method === undefined) throw new Error(`no method ${name}`);
    const deadline = Date.now() + this.#timeoutMs;
    const used = this.#client;
    const answer = await callOnce(used, method, { request, trace, deadline });
    if (answer.kind === "answer" || !answer.details.startsWith(notStarted)) return answer;
    // Deno ends a connection that opens with GOAWAY before grpc-js listens, which then holds the dead one for good.
    if (used === this.#client) {
      used.close();
      this.#client = this.#connect();
    }
    return await callOnce(this.#client, method, { request, trace, deadline });
  }

  close(): void {
    this.#client.close();
  }
}

interface CallOptions {
  readonly request: object;
  readonly trace: TraceHeaders;
  readonly deadline: number;
}

function callOnce(
  client: Client,
  { path, requestSerialize, responseDeserialize }: MethodDefinition<object, object>,
  { request, trace, deadline }: CallOptions,
): Promise<Answer> {
  return new Promise((resolve) => {
    const onEnd = (error: ServiceError | null, message?: object) => {
      const { code = status.INTERNAL, details = "" } = error ?? {};
      if (error === null && message !== undefined) resolve({ kind: "answer", message });
      else resolve({ kind: "error", code, details });
    };
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadataOf(trace),
      { deadline },
      onEnd,
    );
  });
}

function optionsFor(authority: string): ChannelOptions {
  return {
    "grpc.default_authority": authority,
    // The port is on this machine: a proxy that restarts is back in moments, and to ask costs nothing.
    "grpc.initial_reconnect_backoff_ms": 50,
    "grpc.max_reconnect_backoff_ms": 500,
    // Retries are the proxy's. Besides, grpc-js repeats a call that could not start at once and for ever, and on a dead
    // connection starves the whole process by it.
    "grpc.enable_retries": 0,
    "grpc.enable_http_proxy": 0,
    "grpc.service_config_disable_resolution": 1,
    // A connection of its own, gone when it is closed.
    "grpc.use_local_subchannel_pool": 1,
    "grpc.max_receive_message_length": maxBodyBytes,
  };
}

function metadataOf(trace: TraceHeaders): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(trace)) {
    // HTTP lets more through than gRPC, which would throw; a trace is not worth the order.
    if (/^[\x20-\x7e]*$/.test(value)) metadata.set(name, value);
  }
  return metadata;
}

function resultOf(message: object): PaymentResult {
  const paymentId: unknown = Reflect.get(message, "id");
  const kind = Reflect.get(message, "status") === "REFUNDED" ? "refunded" : "captured";
  if (typeof paymentId === "string" && paymentId !== "") return { kind, paymentId };
  return { kind: "failed", reason: "broken" };
}

function failureOf(code: status): CallFailure {
  if (code === status.UNAVAILABLE) return { kind: "failed", reason: "unreachable" };
  const isLate = code === status.DEADLINE_EXCEEDED;
  return { kind: "failed", reason: isLate ? "timeout" : "broken" };
}
