// How an order comes about, whatever protocol asked for it: know the user, keep the order, take the money, settle.
//
//   findUser --unknown or failed--> nothing kept
//      | found
//   kept as pending --pay--> captured: confirmed | declined: rejected | no usable answer: stays pending
//
// The order is kept before the money is taken, so that a crash or a lost answer leaves no payment without its order.
// To repeat the payment call of a pending order is safe: its id is the idempotency key, so nobody pays twice.

import { Fields } from "../lib/fields.ts";
import type { Order, OrderItem, OrderStore } from "./store.ts";
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
  | {
    readonly kind: "failed";
    readonly service: "user" | "payment";
    readonly reason: CallFailure["reason"];
  };

/** Places the order; rejects only when the store does. */
export async function checkOut(
  parts: CheckoutParts,
  cart: Cart,
  trace: TraceHeaders,
): Promise<CheckoutOutcome> {
  const user = await parts.upstreams.findUser(cart.userId, trace);
  if (user.kind === "unknown") return { kind: "unknown-user" };
  if (user.kind === "failed") return { ...user, service: "user" };

  const order = newOrder(parts, cart);
  await parts.store.insert(order);
  return await payAndSettle(parts, order, trace);
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
  if (payment.kind === "declined") {
    await store.settle(id, { status: "rejected", paymentId: null });
    return { kind: "declined" };
  }
  const settlement = { status: "confirmed", paymentId: payment.paymentId } as const;
  await store.settle(id, settlement);
  return { kind: "confirmed", order: { ...order, ...settlement } };
}
