// One grpc.health.v1 Check on a fresh connection: healthy is SERVING in time.
import { ProxyError } from "../errors.ts";
import { decodeHealthResponse, encodeHealthRequest, HEALTH_CHECK_PATH } from "../grpc/health.ts";
import { serializeGrpcTimeout } from "../grpc/timeout.ts";
import { callRequest, failureOf, messagesIn } from "../grpc/unary.ts";
import { readBody } from "../http/body.ts";
import type { Request, Response } from "../http/message.ts";
import { Http2ClientConnection } from "../http2/client_connection.ts";
import { formatAddress } from "../net/tcp.ts";
import { checkInTime } from "./check.ts";
import type { CheckResult } from "./health.ts";
import type { Address, PoolContext } from "./pool.ts";

/** An answer is a few bytes. */
const MAX_ANSWER_BYTES = 4096;

export interface GrpcCheckOptions {
  readonly address: Address;
  /** As in the .proto file; empty asks for the server as a whole. */
  readonly service: string;
  readonly timeoutMs: number;
  /** Whom it is for; default: the address. */
  readonly authority?: string;
}

/** Never rejects. */
export function grpcCheck(options: GrpcCheckOptions, context: PoolContext): Promise<CheckResult> {
  const { address, timeoutMs } = options;
  return checkInTime(address, timeoutMs, context, async (transport, onCut) => {
    const connection = new Http2ClientConnection(transport, context.limits.http2, {
      onFree: () => {},
      onGoaway: () => {},
      onClosed: () => {},
    });
    onCut(() => connection.abort(new ProxyError("deadline", "late", { side: "upstream" })));
    try {
      return await judge(await connection.send(checkRequest(options), () => {}));
    } finally {
      connection.close();
    }
  });
}

async function judge(response: Response): Promise<CheckResult> {
  const bytes = await readBody(response.body, MAX_ANSWER_BYTES);
  const failure = failureOf(response);
  if (failure !== undefined) {
    const { said, message } = failure;
    const detail = message === undefined ? said : `${said}: ${message}`;
    return { isHealthy: false, detail: `a health check was answered with ${detail}` };
  }
  const [message] = messagesIn(bytes ?? new Uint8Array(), MAX_ANSWER_BYTES);
  if (message === undefined) return { isHealthy: false, detail: "no answer to a health check" };
  const status = decodeHealthResponse(message);
  return { isHealthy: status === "serving", detail: `grpc.health.v1 says ${status}` };
}

function checkRequest(options: GrpcCheckOptions): Request {
  const { address, service, timeoutMs, authority = formatAddress(address) } = options;
  const message = encodeHealthRequest(service);
  return callRequest(HEALTH_CHECK_PATH, authority, message, {
    "user-agent": "sidecar-health",
    "grpc-timeout": serializeGrpcTimeout(timeoutMs),
  });
}
