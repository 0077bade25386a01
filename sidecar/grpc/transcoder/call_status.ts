// How a call ended, as the upstream's fields say it.
import type { Fields } from "../../http/fields.ts";
import type { Response } from "../../http/message.ts";
import { isGrpc } from "../media_type.ts";
import {
  codeOfBareResponse,
  decodeGrpcMessage,
  GRPC,
  type GrpcStatus,
  parseGrpcCode,
} from "../status.ts";

export interface CallStatus extends GrpcStatus {
  /** google.rpc.Status in base64, where the upstream sent one. */
  readonly details?: string | undefined;
}

/** The status in the trailers of a response; none is an error of its own. */
export function statusOfTrailers(trailers: Fields | undefined): CallStatus {
  const code = trailers?.get("grpc-status");
  if (trailers === undefined || code === undefined) {
    return { code: GRPC.INTERNAL, message: "the response ended without a status" };
  }
  return {
    code: parseGrpcCode(code),
    message: decodeGrpcMessage(trailers.get("grpc-message") ?? ""),
    details: trailers.get("grpc-status-details-bin"),
  };
}

/** The status that a response's head tells already: trailers-only, or no gRPC at all. Undefined when messages follow. */
export function statusOfHead({ status, headers }: Response): CallStatus | undefined {
  if (headers.has("grpc-status")) return statusOfTrailers(headers);
  if (status === 200 && isGrpc(headers.get("content-type"))) return undefined;
  const message = status === 200
    ? "the response is no gRPC"
    : `the upstream answered with HTTP status ${status}`;
  return { code: codeOfBareResponse(status), message };
}
