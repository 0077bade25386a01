// Answers of our own to a caller that speaks gRPC.
import { EMPTY_BODY } from "../http/body.ts";
import { FieldList } from "../http/fields.ts";
import type { Response } from "../http/message.ts";
import { encodeGrpcMessage, type GrpcCode } from "./status.ts";

/** A call that ended before its first message: head and trailers in one ("trailers-only"). */
export function grpcAnswer(code: GrpcCode, message: string): Response {
  const headers = new FieldList();
  headers.append("content-type", "application/grpc");
  headers.append("grpc-status", String(code));
  if (message !== "") headers.append("grpc-message", encodeGrpcMessage(message));
  return { status: 200, headers, body: EMPTY_BODY };
}
