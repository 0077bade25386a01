// The gRPC face of the order service, as proto/order.proto says. The caller is whoever the metadata entry x-user-id names;
// only a trusted proxy may set it.

import { type Metadata, status } from "@grpc/grpc-js";
import { readPage } from "../lib/fields.ts";
import { GrpcError, pageQuery, readEntry } from "../lib/grpc_method.ts";
import type { GrpcService } from "../lib/grpc_server.ts";
import {
  checkOut,
  type CheckoutOutcome,
  type CheckoutParts,
  readCaller,
  readCart,
  readKey,
} from "./checkout.ts";
import type { Order } from "./store.ts";
import { traceHeaders } from "./upstreams.ts";

interface PageRequest {
  readonly page: number;
  readonly pageSize: number;
}

interface OrderMessage extends Omit<Order, "status" | "paymentId"> {
  readonly status: Uppercase<Order["status"]>;
  readonly paymentId: string;
}

const statuses = { pending: "PENDING", confirmed: "CONFIRMED", rejected: "REJECTED" } as const;

/** The service to hand to a server. */
export function orderGrpc(parts: CheckoutParts): GrpcService {
  return {
    file: "order.proto",
    name: "order.OrderService",
    methods: {
      CreateOrder: (request: object, metadata) => createOrder(parts, request, metadata),
      GetOrder: ({ orderId }: { readonly orderId: string }, metadata) =>
        getOrder(parts, orderId, metadata),
      ListOrders: (request: PageRequest, metadata) => listOrders(parts, request, metadata),
    },
  };
}

async function createOrder(
  parts: CheckoutParts,
  request: object,
  metadata: Metadata,
): Promise<OrderMessage> {
  const cart = readCart(callerOf(metadata), request);
  const trace = traceHeaders((name) => readEntry(metadata, name));
  const key = readKey(readEntry(metadata, "idempotency-key"));
  return answerCheckout(await checkOut(parts, cart, trace, key));
}

async function getOrder(
  { store }: CheckoutParts,
  orderId: string,
  metadata: Metadata,
): Promise<OrderMessage> {
  const order = await store.find(orderId, callerOf(metadata));
  if (order === null) throw new GrpcError(status.NOT_FOUND, "order not found");
  return toMessage(order);
}

async function listOrders(
  { store }: CheckoutParts,
  request: PageRequest,
  metadata: Metadata,
): Promise<{ readonly orders: readonly OrderMessage[]; readonly total: number }> {
  const { orders, total } = await store.list(callerOf(metadata), readPage(pageQuery(request)));
  return { orders: orders.map(toMessage), total };
}

function answerCheckout(outcome: CheckoutOutcome): OrderMessage {
  switch (outcome.kind) {
    case "confirmed":
      return toMessage(outcome.order);
    case "unknown-user":
      throw new GrpcError(status.FAILED_PRECONDITION, "unknown user");
    case "declined":
      throw new GrpcError(status.FAILED_PRECONDITION, "payment declined");
    case "cancelled":
      throw new GrpcError(status.ABORTED, "order was cancelled");
    case "key-reused":
      throw new GrpcError(
        status.ALREADY_EXISTS,
        "idempotency key reused with a different request",
      );
    case "failed": {
      const { service, reason } = outcome;
      if (reason === "timeout") {
        throw new GrpcError(status.DEADLINE_EXCEEDED, `${service} service timed out`);
      }
      // UNAVAILABLE invites proxies to repeat the call, which after the payment's failure would place a second order.
      const code = service === "user" ? status.UNAVAILABLE : status.ABORTED;
      throw new GrpcError(code, `${service} service unavailable`);
    }
  }
}

function callerOf(metadata: Metadata): string {
  const userId = readCaller(readEntry(metadata, "x-user-id"));
  if (userId === null) throw new GrpcError(status.UNAUTHENTICATED, "missing user");
  return userId;
}

function toMessage({ status, paymentId, ...order }: Order): OrderMessage {
  return { ...order, status: statuses[status], paymentId: paymentId ?? "" };
}
