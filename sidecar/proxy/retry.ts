// Which failures and answers are worth another try, and which requests may be sent twice.
import type { ProxyError } from "../errors.ts";
import { isGrpcRequest } from "../grpc/media_type.ts";
import type { Request, Response } from "../http/message.ts";
import type { RetryOn, RetrySettings } from "../snapshot/snapshot.ts";
import { isUnavailable } from "./grpc_call.ts";

/** Methods that may be sent twice (RFC 9110 9.2.2); an idempotency key makes any other so. */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "PUT",
  "DELETE",
  "OPTIONS",
  "TRACE",
]);

/** What is known of sending a request again. */
export interface Replay {
  readonly request: Request;
  /** All of its body is at hand. */
  readonly isWhole: boolean;
}

/** Without any policy: the upstream provably did not begin, or closed a kept connection just as the request came. */
export function mayRepeat(error: ProxyError, replay: Replay): boolean {
  if (!replay.isWhole) return false;
  return error.retry === "yes" || (error.retry === "if-reused" && isIdempotent(replay.request));
}

/** Whether there is any failure after which it may be sent again; its body is worth keeping then. */
export function isRepeatable(request: Request): boolean {
  return request.upgrade === undefined && (isIdempotent(request) || isGrpcRequest(request));
}

/** Whether it may be sent twice for what it is. */
export function isIdempotent({ method, headers }: Request): boolean {
  return IDEMPOTENT.has(method) || headers.has("idempotency-key");
}

/** Whether `settings` ask for another try after `result`. */
export function wantsRetry(
  settings: RetrySettings,
  result: Response | ProxyError,
  replay: Replay,
): boolean {
  const { request, isWhole } = replay;
  if (!isWhole || request.upgrade !== undefined) return false;
  const cause = result instanceof Error ? causeOfError(result) : causeOfResponse(result);
  if (cause === undefined || !settings.on.includes(cause)) return false;
  // Every gRPC method is a POST: who lists grpc-unavailable says that its methods may be called again.
  return isIdempotent(request) || (cause === "grpc-unavailable" && isGrpcRequest(request));
}

/** No connection to who was meant could be made, so nothing was sent. */
export function isUnconnected({ kind }: ProxyError): boolean {
  return kind === "connect-failed" || kind === "connect-timeout" || kind === "untrusted-upstream";
}

/** A deadline that leaves time for another try is that of the try alone: it may have been worked on, as after a reset. */
function causeOfError(error: ProxyError): RetryOn | undefined {
  if (isUnconnected(error)) return "connect";
  return error.kind === "upstream-reset" || error.kind === "deadline" ? "reset" : undefined;
}

function causeOfResponse(response: Response): RetryOn | undefined {
  if (response.status >= 502 && response.status <= 504) return "gateway-error";
  return isUnavailable(response) ? "grpc-unavailable" : undefined;
}

/** What an answer asks to wait before the next try (RFC 9110, section 10.2.3), in seconds there; 0 where it says nothing. */
export function retryAfterMs({ headers }: Response): number {
  const text = headers.get("retry-after") ?? "";
  return /^[0-9]{1,6}$/.test(text) ? Number(text) * 1000 : 0;
}
