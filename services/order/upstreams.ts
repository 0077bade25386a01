// What the order service needs of the user and payment services, in its own words. No protocol: whoever places orders
// is handed an implementation, HTTP or another.

/** What happened to a call that brought no usable answer; it may or may not have had its effect. */
export interface CallFailure {
  readonly kind: "failed";
  /** unreachable: nobody there to answer; timeout: no answer in time; broken: an answer that makes no sense. */
  readonly reason: "unreachable" | "timeout" | "broken";
}

/** Whether the user service knows the user. */
export type UserLookup = { readonly kind: "found" } | { readonly kind: "unknown" } | CallFailure;

/** What became of the money. */
export type PaymentResult =
  | { readonly kind: "captured" | "refunded"; readonly paymentId: string }
  | { readonly kind: "declined" }
  | CallFailure;

/** What to ask the payment service for; the amount is in minor units. */
export interface PaymentOrder {
  readonly orderId: string;
  readonly userId: string;
  readonly amount: number;
}

/** All calls answer with a value, never a throw, and within their deadline; `trace` goes along as headers. */
export interface Upstreams {
  findUser(userId: string, trace: TraceHeaders): Promise<UserLookup>;
  /** Safe to repeat: the order's id is the idempotency key. */
  pay(payment: PaymentOrder, trace: TraceHeaders): Promise<PaymentResult>;
  /** Gives the money back; safe to repeat. */
  refund(
    paymentId: string,
    trace: TraceHeaders,
  ): Promise<{ readonly kind: "refunded" } | CallFailure>;
}

/** The headers that tie the calls of one request together. */
export type TraceHeaders = Readonly<Record<string, string>>;

const traceHeaderNames = ["x-request-id", "traceparent", "tracestate", "b3"];

/** The one habit asked of a service in a mesh: hand these on, or a trace ends at its door. */
export function traceHeaders(read: (name: string) => string | null): TraceHeaders {
  const entries = traceHeaderNames.map((name) => [name, read(name)] as const);
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => entry[1] !== null),
  );
}
