// What a payment is allowed to be, whatever protocol asked for it: the limit, and the promise of the idempotency key.

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
  | { readonly kind: "captured" | "declined"; readonly payment: Payment }
  | { readonly kind: "key-reused" };

interface PaymentParts {
  readonly store: PaymentStore;
  readonly now: () => Date;
  readonly newId: () => string;
}

/** Takes the money once for each key; asked again with the same request, answers with the payment of the first time. */
export async function takePayment(
  { store, now, newId }: PaymentParts,
  { idempotencyKey, ...asked }: PaymentRequest,
): Promise<PaymentOutcome> {
  const status = asked.amount > maxAmount ? "declined" : "captured";
  const wanted = { id: newId(), ...asked, status, createdAt: now().toISOString() } as const;
  const payment = await store.record(wanted, idempotencyKey);
  if (!isSameRequest(payment, asked)) return { kind: "key-reused" };
  return { kind: payment.status === "declined" ? "declined" : "captured", payment };
}

function isSameRequest(
  payment: Payment,
  asked: Omit<PaymentRequest, "idempotencyKey">,
): boolean {
  return payment.orderId === asked.orderId && payment.userId === asked.userId &&
    payment.amount === asked.amount && payment.currency === asked.currency;
}
