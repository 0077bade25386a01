// The HTTP face of the order service. The caller is whoever x-user-id names; only a trusted proxy may set that header.

import { errorAnswer, HttpError, json } from "../lib/answers.ts";
import { readJson } from "../lib/body.ts";
import { readPage } from "../lib/fields.ts";
import type { Log } from "../lib/log.ts";
import { type Call, createHandler, type Handler } from "../lib/router.ts";
import {
  checkOut,
  type CheckoutOutcome,
  type CheckoutParts,
  readCaller,
  readCart,
  readKey,
} from "./checkout.ts";
import { traceHeaders } from "./upstreams.ts";

/** What the handlers are built from. */
export interface OrderServiceParts extends CheckoutParts {
  readonly log: Log;
}

/** Answers the requests of the order service. */
export function createOrderHandler(parts: OrderServiceParts): Handler {
  return createHandler({
    service: "order-service",
    ping: () => parts.store.ping(),
    log: parts.log,
    routes: [
      { method: "GET", path: "/orders", handle: (call) => listOrders(parts, call) },
      { method: "POST", path: "/orders", handle: (call) => createOrder(parts, call) },
      { method: "GET", path: "/orders/:id", handle: (call) => getOrder(parts, call) },
    ],
  });
}

async function listOrders({ store }: OrderServiceParts, { request, url }: Call): Promise<Response> {
  const userId = callerOf(request);
  const { orders, total } = await store.list(userId, readPage(url.searchParams));
  return json(200, { orders, total });
}

async function getOrder({ store }: OrderServiceParts, { request, id }: Call): Promise<Response> {
  const order = await store.find(id, callerOf(request));
  return order === null ? errorAnswer(404, "order not found") : json(200, order);
}

async function createOrder(parts: OrderServiceParts, { request }: Call): Promise<Response> {
  const userId = callerOf(request);
  const cart = readCart(userId, await readJson(request));
  const trace = traceHeaders((name) => request.headers.get(name));
  const key = readKey(request.headers.get("idempotency-key"));
  return answerCheckout(await checkOut(parts, cart, trace, key));
}

function answerCheckout(outcome: CheckoutOutcome): Response {
  switch (outcome.kind) {
    case "confirmed": {
      const location = `/orders/${encodeURIComponent(outcome.order.id)}`;
      return json(201, outcome.order, { location });
    }
    case "unknown-user":
      return errorAnswer(422, "unknown user");
    case "declined":
      return errorAnswer(402, "payment declined");
    case "cancelled":
      return errorAnswer(409, "order was cancelled");
    case "key-reused":
      return errorAnswer(422, "idempotency key reused with a different request");
    case "failed": {
      const { service, reason } = outcome;
      if (reason === "timeout") return errorAnswer(504, `${service} service timed out`);
      return errorAnswer(reason === "unreachable" ? 503 : 502, `${service} service unavailable`);
    }
  }
}

function callerOf(request: Request): string {
  const userId = readCaller(request.headers.get("x-user-id"));
  if (userId === null) throw new HttpError(401, "missing user");
  return userId;
}
