// The HTTP face of the payment service.

import { errorAnswer, json } from "../lib/answers.ts";
import { readJson } from "../lib/body.ts";
import { Fields, invalidRequest } from "../lib/fields.ts";
import type { Log } from "../lib/log.ts";
import { type Call, createHandler, type Handler } from "../lib/router.ts";
import { type PaymentRequest, takePayment } from "./payments.ts";
import type { PaymentStore } from "./store.ts";

/** What the handlers are built from; the time and ids come from outside so that tests know them. */
export interface PaymentServiceParts {
  readonly store: PaymentStore;
  readonly now: () => Date;
  readonly newId: () => string;
  readonly log: Log;
}

/** Answers the requests of the payment service. */
export function createPaymentHandler(parts: PaymentServiceParts): Handler {
  return createHandler({
    service: "payment-service",
    ping: () => parts.store.ping(),
    log: parts.log,
    routes: [
      { method: "POST", path: "/payments", handle: (call) => createPayment(parts, call) },
      { method: "GET", path: "/payments/:id", handle: (call) => getPayment(parts, call) },
      { method: "POST", path: "/payments/:id/refund", handle: (call) => refund(parts, call) },
    ],
  });
}

async function createPayment(parts: PaymentServiceParts, { request }: Call): Promise<Response> {
  const idempotencyKey = readIdempotencyKey(request.headers);
  const asked = readPayment(await readJson(request));
  const outcome = await takePayment(parts, { ...asked, idempotencyKey });
  if (outcome.kind === "key-reused") {
    return errorAnswer(422, "idempotency key reused with a different request");
  }
  // A declined payment is kept too, and its address is told, so that it can be looked up.
  const headers = { location: `/payments/${encodeURIComponent(outcome.payment.id)}` };
  if (outcome.kind === "declined") return errorAnswer(402, "payment declined", { headers });
  return json(201, outcome.payment, headers);
}

async function getPayment({ store }: PaymentServiceParts, { id }: Call): Promise<Response> {
  const payment = await store.find(id);
  return payment === null ? errorAnswer(404, "payment not found") : json(200, payment);
}

async function refund({ store }: PaymentServiceParts, { id }: Call): Promise<Response> {
  const payment = await store.refund(id);
  if (payment === null) return errorAnswer(404, "payment not found");
  if (payment.status === "declined") return errorAnswer(409, "payment was declined");
  return json(200, payment);
}

function readPayment(body: unknown): Omit<PaymentRequest, "idempotencyKey"> {
  const fields = new Fields(body);
  const payment = {
    orderId: fields.text("orderId", { max: 128 }),
    userId: fields.text("userId", { max: 128 }),
    amount: fields.integer("amount", { min: 1, max: Number.MAX_SAFE_INTEGER }),
    currency: fields.optionalText("currency", {
      max: 3,
      accepts: (text) => /^[A-Z]{3}$/.test(text),
      expected: "must be a currency code such as EUR",
    }) ?? "EUR",
  };
  fields.check();
  return payment;
}

function readIdempotencyKey(headers: Headers): string | null {
  const key = headers.get("idempotency-key");
  if (key === null || /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw invalidRequest({ "idempotency-key": "must be 1 to 255 visible ASCII characters" });
}
