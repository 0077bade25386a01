// The gRPC face of the payment service, as proto/payment.proto says.

import { type Metadata, status } from "@grpc/grpc-js";
import { GrpcError, readEntry } from "../lib/grpc_method.ts";
import type { GrpcService } from "../lib/grpc_server.ts";
import { type PaymentParts, readPayment, takePayment } from "./payments.ts";
import type { Payment, PaymentStore } from "./store.ts";

interface CreatePaymentRequest {
  readonly orderId: string;
  readonly userId: string;
  readonly amount: number;
  readonly currency: string;
  readonly idempotencyKey: string;
}

interface PaymentIdRequest {
  readonly paymentId: string;
}

interface PaymentMessage extends Omit<Payment, "status"> {
  readonly status: Uppercase<Payment["status"]>;
}

const statuses = { captured: "CAPTURED", declined: "DECLINED", refunded: "REFUNDED" } as const;

/** The service to hand to a server. */
export function paymentGrpc(parts: PaymentParts): GrpcService {
  return {
    file: "payment.proto",
    name: "payment.PaymentService",
    methods: {
      CreatePayment: (request: CreatePaymentRequest, metadata) =>
        createPayment(parts, request, metadata),
      GetPayment: ({ paymentId }: PaymentIdRequest) => getPayment(parts.store, paymentId),
      RefundPayment: ({ paymentId }: PaymentIdRequest) => refundPayment(parts.store, paymentId),
    },
  };
}

async function createPayment(
  parts: PaymentParts,
  { idempotencyKey, currency, ...asked }: CreatePaymentRequest,
  metadata: Metadata,
): Promise<PaymentMessage> {
  // REST callers send the key as a header, which a transcoding gateway makes metadata.
  const key = idempotencyKey || readEntry(metadata, "idempotency-key");
  const source = currency === "" ? asked : { ...asked, currency };
  const outcome = await takePayment(parts, readPayment(source, key));
  if (outcome.kind === "key-reused") {
    throw new GrpcError(
      status.ALREADY_EXISTS,
      "idempotency key reused with a different request",
    );
  }
  if (outcome.kind === "declined") {
    const trailers = { "payment-id": outcome.payment.id };
    throw new GrpcError(status.FAILED_PRECONDITION, "payment declined", trailers);
  }
  return toMessage(outcome.payment);
}

async function getPayment(store: PaymentStore, paymentId: string): Promise<PaymentMessage> {
  return toMessage(found(await store.find(paymentId)));
}

async function refundPayment(store: PaymentStore, paymentId: string): Promise<PaymentMessage> {
  const payment = found(await store.refund(paymentId));
  if (payment.status === "declined") {
    throw new GrpcError(status.FAILED_PRECONDITION, "payment was declined");
  }
  return toMessage(payment);
}

function found(payment: Payment | null): Payment {
  if (payment === null) throw new GrpcError(status.NOT_FOUND, "payment not found");
  return payment;
}

function toMessage(payment: Payment): PaymentMessage {
  return { ...payment, status: statuses[payment.status] };
}
