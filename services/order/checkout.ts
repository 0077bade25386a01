// How an order comes about, whatever protocol asked for it: know the user, keep the order, take the money, settle.
//
//   findUser --unknown or failed--> nothing kept
//      | found
//   kept as pending --pay--> captured: confirmed | declined: rejected | no usable answer: stays pending
//      | pending for too long, its caller was told of a failure or of nothing (a crash)
//   being cancelled --pay, refund--> rejected
//
// The order is kept before the money is taken, so that a crash or a lost answer leaves no payment without its order.
// To repeat the payment call of a pending order is safe: its id is the idempotency key, so nobody pays twice. A caller that
// repeats its request with the same Idempotency-Key goes on with the order of the first time; whoever comes first, the caller
// or the cancellation, decides what becomes of it, and the store is where that is decided.

import { Fields } from "../lib/fields.ts";
import type { KeptOrder, Order, OrderItem, OrderStore } from "./store.ts";
import type { CallFailure, TraceHeaders, Upstreams } from "./upstreams.ts";

/** What a checkout needs; the time and ids come from outside so that tests know them. */
export interface CheckoutParts {
  readonly store: OrderStore;
  readonly upstreams: Upstreams;
  readonly now: () => Date;
  readonly newId: () => string;
}

/** A valid request for an order; the total is that of its items. */
export interface Cart {
  readonly userId: string;
  readonly items: readonly OrderItem[];
  readonly total: number;
}

/** How a checkout ended; each protocol says it in its own way. */
export type CheckoutOutcome =
  | { readonly kind: "confirmed"; readonly order: Order }
  | { readonly kind: "unknown-user" }
  | { readonly kind: "declined" }
  /** It took too long, and was or is being undone. */
  | { readonly kind: "cancelled" }
  | { readonly kind: "key-reused" }
  | {
    readonly kind: "failed";
    readonly service: "user" | "payment";
    readonly reason: CallFailure["reason"];
  };

/** Places the order, once for each key of its user; rejects only when the store does. */
export async function checkOut(
  parts: CheckoutParts,
  cart: Cart,
  trace: TraceHeaders,
  idempotencyKey: string | null = null,
): Promise<CheckoutOutcome> {
  const { store } = parts;
  const earlier = idempotencyKey === null
    ? null
    : await store.findByKey(cart.userId, idempotencyKey);
  if (earlier !== null) return await goOn(parts, earlier, cart, trace);
  const user = await parts.upstreams.findUser(cart.userId, trace);
  if (user.kind === "unknown") return { kind: "unknown-user" };
  if (user.kind === "failed") return { ...user, service: "user" };

  const order = newOrder(parts, cart);
  return await goOn(parts, await store.insert(order, idempotencyKey), cart, trace);
}

/** From where the order stands, which may be the first time's. */
async function goOn(
  parts: CheckoutParts,
  { order, isCancelling, ending }: KeptOrder,
  cart: Cart,
  trace: TraceHeaders,
): Promise<CheckoutOutcome> {
  const isSame = order.total === cart.total &&
    JSON.stringify(order.items) === JSON.stringify(cart.items);
  if (!isSame) return { kind: "key-reused" };
  if (order.status === "confirmed") return { kind: "confirmed", order };
  if (order.status === "rejected") return { kind: ending ?? "declined" };
  return isCancelling ? { kind: "cancelled" } : await payAndSettle(parts, order, trace);
}

/** The key that came beside a request; throws InvalidRequest. */
export function readKey(key: string | null): string | null {
  if (key !== null && !/^[\x21-\x7e]{1,255}$/.test(key)) {
    const fields = new Fields({});
    fields.refuse("idempotency-key", "must be 1 to 255 visible ASCII characters");
    fields.check();
  }
  return key;
}

/** The user's id as a trusted proxy named it; null where it is missing or no id. */
export function readCaller(userId: string | null): string | null {
  return userId !== null && /^[\x21-\x7e]{1,128}$/.test(userId) ? userId : null;
}

/** Reads what a caller wants to buy; throws InvalidRequest. */
export function readCart(userId: string, source: unknown): Cart {
  const fields = new Fields(source);
  const items = fields.list("items", { min: 1, max: 100 }).map((item) => ({
    sku: item.text("sku", { max: 64 }),
    quantity: item.integer("quantity", { min: 1, max: 1_000 }),
    unitPrice: item.integer("unitPrice", { min: 0, max: 100_000_000 }),
  }));
  fields.check();
  const total = totalOf(items);
  if (total === 0) fields.refuse("items", "must cost more than nothing");
  fields.check();
  return { userId, items, total };
}

/** The limits on each item keep the sum a safe integer (at most 1e13). */
function totalOf(items: readonly OrderItem[]): number {
  return items.reduce((sum, { quantity, unitPrice }) => sum + quantity * unitPrice, 0);
}

function newOrder({ now, newId }: CheckoutParts, { userId, items, total }: Cart): Order {
  return {
    id: newId(),
    userId,
    items,
    total,
    status: "pending",
    paymentId: null,
    createdAt: now().toISOString(),
  };
}

async function payAndSettle(
  { store, upstreams }: CheckoutParts,
  order: Order,
  trace: TraceHeaders,
): Promise<CheckoutOutcome> {
  const { id, userId, total } = order;
  const payment = await upstreams.pay({ orderId: id, userId, amount: total }, trace);
  if (payment.kind === "failed") return { ...payment, service: "payment" };
  if (payment.kind === "refunded") return { kind: "cancelled" };
  if (payment.kind === "declined") {
    const isSettled = await store.settle(id, { status: "rejected", paymentId: null });
    return { kind: isSettled ? "declined" : "cancelled" };
  }
  const settlement = { status: "confirmed", paymentId: payment.paymentId } as const;
  if (!await store.settle(id, settlement)) return { kind: "cancelled" };
  return { kind: "confirmed", order: { ...order, ...settlement } };
}
