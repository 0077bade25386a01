// The HTTP face of the payment service.

import { errorAnswer, json } from "../lib/answers.ts";
import { readJson } from "../lib/body.ts";
import type { Log } from "../lib/log.ts";
import { type Call, createHandler, type Handler } from "../lib/router.ts";
import { type PaymentParts, readPayment, takePayment } from "./payments.ts";

/** What the handlers are built from. */
export interface PaymentServiceParts extends PaymentParts {
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
  const idempotencyKey = request.headers.get("idempotency-key");
  const outcome = await takePayment(parts, readPayment(await readJson(request), idempotencyKey));
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
