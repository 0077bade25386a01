// Calls the other services by HTTP through one outbound port, which tells them apart by the Host header.

import { BodyTooLarge, readText } from "../lib/body.ts";
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

interface Call {
  readonly service: string;
  readonly path: string;
  readonly trace: TraceHeaders;
  readonly post?: { readonly body: unknown; readonly idempotencyKey: string };
}

interface Answer {
  readonly kind: "answer";
  readonly status: number;
  readonly body: unknown;
}

/** Keeps connections open between calls, so whoever makes one disposes of it. */
export class OutboundClient implements Upstreams, Disposable {
  readonly #options: OutboundOptions;
  // fetch replaces a Host header by the URL's own unless its client says otherwise.
  readonly #client = Deno.createHttpClient({ allowHost: true });

  constructor(options: OutboundOptions) {
    this.#options = options;
  }

  async findUser(userId: string, trace: TraceHeaders): Promise<UserLookup> {
    // The two names that a URL would take for a step up or nowhere, even when percent-encoded.
    if (userId === "." || userId === "..") return { kind: "unknown" };
    const path = `/users/${encodeURIComponent(userId)}`;
    const answer = await this.#call({ service: "user-service", path, trace });
    if (answer.kind === "failed") return answer;
    if (answer.status === 200) return { kind: "found" };
    // A proxy on the way may say 404 too; only the user service can say that there is no such user.
    const isUnknown = answer.status === 404 && textOf(answer.body, "error") === "user not found";
    return isUnknown ? { kind: "unknown" } : failureOf(answer.status);
  }

  async pay(payment: PaymentOrder, trace: TraceHeaders): Promise<PaymentResult> {
    const post = { body: payment, idempotencyKey: payment.orderId };
    const answer = await this.#call({
      service: "payment-service",
      path: "/payments",
      trace,
      post,
    });
    if (answer.kind === "failed") return answer;
    if (answer.status === 402) return { kind: "declined" };
    const paymentId = textOf(answer.body, "id");
    if (answer.status === 201 && paymentId !== undefined) return { kind: "captured", paymentId };
    return failureOf(answer.status);
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }

  async #call(call: Call): Promise<Answer | CallFailure> {
    try {
      const response = await fetch(new URL(call.path, this.#options.url), this.#init(call));
      const body: unknown = JSON.parse(await readText(response.body));
      return { kind: "answer", status: response.status, body };
    } catch (error) {
      return { kind: "failed", reason: reasonOf(error) };
    }
  }

  #init({ service, trace, post }: Call): RequestInit & { client: Deno.HttpClient } {
    const common = {
      client: this.#client,
      redirect: "manual",
      signal: AbortSignal.timeout(this.#options.timeoutMs),
    } as const;
    const headers = { ...trace, host: service, accept: "application/json" };
    if (post === undefined) return { ...common, headers };
    return {
      ...common,
      method: "POST",
      headers: {
        ...headers,
        "content-type": "application/json",
        "idempotency-key": post.idempotencyKey,
      },
      body: JSON.stringify(post.body),
    };
  }
}

function failureOf(status: number): CallFailure {
  if (status === 503) return { kind: "failed", reason: "unreachable" };
  return { kind: "failed", reason: status === 504 ? "timeout" : "broken" };
}

function reasonOf(error: unknown): CallFailure["reason"] {
  if (error instanceof DOMException && error.name === "TimeoutError") return "timeout";
  // An answer came, but it is not JSON or has no end in sight.
  if (error instanceof SyntaxError || error instanceof BodyTooLarge) return "broken";
  return "unreachable";
}

function textOf(body: unknown, name: string): string | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const value: unknown = Reflect.get(body, name);
  return typeof value === "string" ? value : undefined;
}
