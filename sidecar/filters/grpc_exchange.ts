// Which exchanges are gRPC calls, and how they ended: what HTTP alone does not say.
import type { Request, Response } from "../http/message.ts";

export function isGrpcCall({ version, headers }: Request): boolean {
  return version === "2" && headers.get("content-type")?.startsWith("application/grpc") === true;
}

/** Behind the messages, or in the head of an answer that has none; undefined where it never came. */
export function grpcStatusOf(response: Response | undefined): string | undefined {
  return response?.body.trailers?.get("grpc-status") ?? response?.headers.get("grpc-status");
}

/** UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS: what HTTP has its 5xx for. */
export const GRPC_FAILURES: ReadonlySet<string> = new Set(["2", "4", "12", "13", "14", "15"]);
