// What a payment is allowed to be, whatever protocol asked for it: the limit, and the promise of the idempotency key.

import { Fields } from "../lib/fields.ts";
import type { Payment, PaymentStore } from "./store.ts";

/** Above this the demo's bank says no; in minor units. */
export const maxAmount = 1_000_000;

/** A valid request for a payment; without a key each one is a new payment. */
export interface PaymentRequest {
  readonly orderId: string;
  readonly userId: string;
  readonly amount: number;
  readonly currency: string;
  readonly idempotencyKey: string | null;
}

/** What became of the request; each protocol says it in its own way. */
export type PaymentOutcome =
  | { readonly kind: Payment["status"]; readonly payment: Payment }
  | { readonly kind: "key-reused" };

/** What payments are taken with; the time and ids come from outside so that tests know them. */
export interface PaymentParts {
  readonly store: PaymentStore;
  readonly now: () => Date;
  readonly newId: () => string;
}

/** Reads what a caller sent, with the key that came beside it; throws InvalidRequest. */
export function readPayment(source: unknown, idempotencyKey: string | null): PaymentRequest {
  const fields = new Fields(source);
  const payment = {
    orderId: fields.text("orderId", { max: 128 }),
    userId: fields.text("userId", { max: 128 }),
    amount: fields.integer("amount", { min: 1, max: Number.MAX_SAFE_INTEGER }),
    currency: fields.optionalText("currency", {
      max: 3,
      accepts: (text) => /^[A-Z]{3}$/.test(text),
      expected: "must be a currency code such as EUR",
    }) ?? "EUR",
    idempotencyKey,
  };
  if (idempotencyKey !== null && !/^[\x21-\x7e]{1,255}$/.test(idempotencyKey)) {
    fields.refuse("idempotency-key", "must be 1 to 255 visible ASCII characters");
  }
  fields.check();
  return payment;
}

/** Takes the money once for each key; asked again with the same request, answers with what the payment of the first time is by now. */
export async function takePayment(
  { store, now, newId }: PaymentParts,
  { idempotencyKey, ...asked }: PaymentRequest,
): Promise<PaymentOutcome> {
  const status = asked.amount > maxAmount ? "declined" : "captured";
  const wanted = { id: newId(), ...asked, status, createdAt: now().toISOString() } as const;
  const payment = await store.record(wanted, idempotencyKey);
  if (!isSameRequest(payment, asked)) return { kind: "key-reused" };
  return { kind: payment.status, payment };
}

function isSameRequest(
  payment: Payment,
  asked: Omit<PaymentRequest, "idempotencyKey">,
): boolean {
  return payment.orderId === asked.orderId && payment.userId === asked.userId &&
    payment.amount === asked.amount && payment.currency === asked.currency;
}
